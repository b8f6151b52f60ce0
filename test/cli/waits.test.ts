import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, migrations } from '../../src/stores/postgres/migrate.ts';
import type { StopSignal } from '../../src/cli/env.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openProxy } from '../support/tcp-proxy.ts';

/** Takes connections and never says a word, as a stopped process does. */
async function silentServer(): Promise<{ server: Server; address: string }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a store that is away', () => {
  let stores: TestStores;
  let silent: Awaited<ReturnType<typeof silentServer>>;
  beforeAll(async () => {
    [stores, silent] = await Promise.all([openStores(), silentServer()]);
  });
  afterAll(async () => {
    silent.server.close();
    await stores[Symbol.asyncDispose]();
  });

  const away = (store: string): [string[], string] => {
    const address = store.startsWith('silent') ? silent.address : '127.0.0.1:1';
    return store.endsWith('Redis')
      ? [['--redis-url', `redis://${address}`], address]
      : [['--database-url', `postgres://u:p@${address}/x`], address];
  };

  it.each(
    ['a dead Redis', 'a dead PostgreSQL', 'silent Redis', 'silent PostgreSQL'].flatMap((store) => [
      [store, ['drain', '--once', '--wait-for-stores', '1s']] as const,
      [store, ['drain', '--until-empty', '--wait-for-stores', '1s']] as const,
      [store, ['drain', '--wait-for-stores', '1s']] as const,
      [store, ['serve', '--port', '0', '--wait-for-stores', '1s']] as const,
    ]),
  )('%s ends %j with 3, and is named with the reason', async (store, argv) => {
    const [flags, address] = away(store);
    const result = await cli([...at(stores), ...flags, ...argv]);
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toMatch(/error: .* at .*; it was waited for 1s \[(REDIS|DATABASE)_DOWN\]\n {2}why: /);
    expect(result.stderr).toContain(address);
  });

  it('at the start of serve ends it at once, unless it was told to wait', async () => {
    const result = await cli([...at(stores), ...away('a dead Redis')[0], 'serve', '--port', '0']);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).not.toContain('trying again');
  });

  it.each(['redis', 'database'] as const)('%s, and comes back while serve waits, is no fault', async (which) => {
    await using proxy = await openProxy(which === 'redis' ? stores.redisUrl : stores.databaseUrl);
    await proxy.cut();
    let stop: (signal: StopSignal) => void = () => undefined;
    const flag = `--${which}-url`;
    const url = proxy.through(which === 'redis' ? stores.redisUrl : stores.databaseUrl);
    const result = await cli([...at(stores), flag, url, 'serve', '--port', '0', '--wait-for-stores', '60s'], {
      onListen: (send) => {
        stop = send;
      },
      onStderr: (text) => {
        if (text.includes('trying again')) void proxy.restore();
      },
      onStdout: () => stop('SIGTERM'),
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('listening on') });
  });

  it.each([
    ['redis', 'cut'],
    ['database', 'cut'],
    ['redis', 'holdReplies'],
    ['database', 'holdReplies'],
  ] as const)('%s, for good in the middle of a drain (%s), ends it with 3', async (which, how) => {
    await stores.clear();
    await stores.seed({ id: 'sale', total: 50 });
    await stores.admission.admit(
      'sale',
      Array.from({ length: 50 }, (_, i) => ({ userId: `u${i}`, requestId: 'r' })),
    );
    const base = which === 'redis' ? stores.redisUrl : stores.databaseUrl;
    await using proxy = await openProxy(base);
    let gone = false;
    const pace = ['--batch', '1', '--interval', '50ms', '--lease', '1s'];
    const result = await cli(
      [...at(stores), `--${which}-url`, proxy.through(base), 'drain', 'sale', '--until-empty', '--wait-for-stores', '1s', ...pace],
      {
        onStderr: (text) => {
          if (gone || !text.includes('issued 1')) return;
          gone = true;
          void proxy[how]();
        },
      },
    );
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toMatch(/error: .*; it was waited for 1s \[/);
  });

  it.each(['inspect', 'audit', 'migrate', 'dead list x', 'use x y', 'seed x --name x --stock 1', 'submit x --users 1'])(
    'and silent is exit 3 for %s',
    async (line) => {
      for (const store of line === 'migrate' ? ['silent PostgreSQL'] : ['silent Redis', 'silent PostgreSQL']) {
        if (!store.endsWith('PostgreSQL')) await stores.seed({ id: 'x', total: 1 });
        const [flags] = away(store);
        expect((await cli([...at(stores), ...flags, ...line.split(' ')])).exitCode).toBe(3);
        await stores.clear();
      }
    },
  );

  it('and hangs does not keep inspect --watch from a signal', async () => {
    await using proxy = await openProxy(stores.databaseUrl);
    let send: (signal: StopSignal) => void = () => undefined;
    const result = await cli(
      [...at(stores), '--database-url', proxy.through(stores.databaseUrl), 'inspect', '--watch', '--interval', '100ms'],
      {
        onListen: (listener) => {
          send = listener;
        },
        onStdout: () => {
          proxy.holdReplies();
          setTimeout(() => send('SIGTERM'), 300);
        },
      },
    );
    expect(result.exitCode).toBe(0);
  });
});

it('a migration does not wait for ever for a lock that another session holds', async () => {
  await using stores = await openStores({ migrated: false });
  await stores.database.transaction(async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [0x636f7570]);
    await expect(migrate(stores.database, '100ms')).rejects.toMatchObject({ code: 'DATABASE_LOCKED', kind: 'unreachable' });
  });
  expect(await migrate(stores.database)).toHaveLength(migrations().length);
});
