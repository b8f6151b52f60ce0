import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import type { Variables } from '../../../src/stores/postgres/connection/url.ts';
import { startPostgres, type FaultPostgres } from '../../faults/servers/postgres.ts';
import { cli } from '../../support/run-cli.ts';
import { AUTHORITY, CERTIFICATES } from '../../support/tls-server.ts';
import { until } from '../../support/until.ts';

let server: FaultPostgres;
let admin: pg.Client;
const dir = mkdtempSync(join(tmpdir(), 'coupon-'));
const authority = join(dir, 'authority.pem');

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  writeFileSync(authority, AUTHORITY);
  for (const [name, text] of [
    ['server.crt', CERTIFICATES.good.cert],
    ['server.key', CERTIFICATES.good.key],
    ['root.crt', AUTHORITY],
  ] as const) {
    const path = join(server.dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    const { uid, gid } = statSync(server.dir);
    chownSync(path, uid, gid);
  }
  writeFileSync(
    join(server.dir, 'pg_hba.conf'),
    'hostssl all good 127.0.0.1/32 cert\nhostssl all picky 127.0.0.1/32 scram-sha-256\nhostnossl all picky 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  await admin.query("CREATE ROLE good LOGIN; CREATE ROLE picky LOGIN PASSWORD 'pw'");
  await admin.query("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
  await admin.query('ALTER SYSTEM SET ssl = on');
  await admin.query('SELECT pg_reload_conf()');
  await until(async () => (await admin.query('SHOW ssl')).rows[0].ssl === 'on');
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** The server's URL, with other words. */
function url(change: (url: URL) => void, query = ''): string {
  const changed = new URL(server.url);
  change(changed);
  return `${changed.href}${query}`;
}

const bare = (query = ''): string => url((address) => (address.password = ''), query);

async function session(address: string, variables: Variables = {}) {
  const database = new Database(address, { variables });
  try {
    const [row] = await database.query<{ ssl: boolean; user: string; path: string; app: string }>(
      "SELECT ssl, current_user::text AS user, current_setting('search_path') AS path, current_setting('application_name') AS app FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    return row;
  } finally {
    await database.close();
  }
}

describe('without a password', () => {
  it.each([
    ['for a server that wants SCRAM', ''],
    ['over TLS', '?sslmode=require'],
  ])('a command ends at once with 2, and leaves no session behind, %s', async (_name, query) => {
    for (const argv of [['migrate'], ['inspect'], ['drain', '--once'], ['migrate', '--json']]) {
      const result = await cli([...argv, '--database-url', bare(query), '--redis-url', inject('redisUrl')], { vars: { HOME: dir } });
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toContain('needs a password');
      expect(result.stderr).toContain('Put it in DATABASE_URL, PGPASSWORD or ~/.pgpass');
    }
    // The driver would leave each socket open until the time limit of the server, a minute.
    await until(async () => {
      const { rows } = await admin.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      );
      return rows[0].n === 0;
    });
  });

  it('one of PGPASSWORD, of the URL, or of a file is used', async () => {
    const { password } = new URL(server.url);
    const file = join(dir, 'pgpass');
    writeFileSync(file, `*:*:*:*:${password}\n`, { mode: 0o600 });
    expect(await session(bare(), { PGPASSWORD: password })).toMatchObject({ user: 'coupon' });
    expect(await session(bare(`?password=${password}`))).toMatchObject({ user: 'coupon' });
    expect(await session(bare(), { PGPASSFILE: file })).toMatchObject({ user: 'coupon' });
  });

  it('a file that others may read is named as the reason', async () => {
    const file = join(dir, 'readable');
    writeFileSync(file, '*:*:*:*:pw\n', { mode: 0o644 });
    const result = await cli(['migrate', '--database-url', bare(`?passfile=${file}`)]);
    expect(result.stderr).toContain('chmod 600');
  });

  it('what the process has in its environment plays no part where variables have none', async () => {
    process.env['PGPASSWORD'] = new URL(server.url).password;
    process.env['PGOPTIONS'] = '-c search_path=elsewhere';
    try {
      await expect(session(bare())).rejects.toMatchObject({ code: 'DATABASE_AUTH', message: expect.stringContaining('needs a password') });
      expect(await session(server.url)).toMatchObject({ path: '"$user", public' });
    } finally {
      delete process.env['PGPASSWORD'];
      delete process.env['PGOPTIONS'];
    }
  });
});

describe('TLS', () => {
  it.each(['?ssl=true', '?sslmode=verify-full', '?sslrootcert=system'])(
    '%s refuses a certificate of an unknown authority, and says how to name it',
    async (query) => {
      const result = await cli(['migrate', '--database-url', `${server.url}${query}`]);
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toContain('[DATABASE_TLS]');
      expect(result.stderr).toContain('sslrootcert=FILE');
    },
  );

  it.each([
    ['?sslmode=require', {}],
    ['?ssl=true&sslrootcert=AUTHORITY', {}],
    ['?sslmode=verify-full&sslrootcert=AUTHORITY', {}],
    ['?sslmode=verify-ca&sslrootcert=AUTHORITY&ssl_min_protocol_version=TLSv1.3', {}],
    ['?sslrootcert=AUTHORITY', {}],
    ['', { PGSSLMODE: 'require' }],
    ['', { PGSSLROOTCERT: authority }],
  ])('%s with %j encrypts', async (query, variables) => {
    expect(await session(server.url + query.replace('AUTHORITY', authority), variables)).toMatchObject({ ssl: true });
  });

  it('is not made where nobody asks for it', async () => {
    expect(await session(server.url)).toMatchObject({ ssl: false });
  });

  it('that the server does not speak is exit 2, and no password is sent', async () => {
    const heard: Buffer[] = [];
    const plain = createServer((socket) => {
      socket.on('data', (chunk) => {
        heard.push(chunk);
        socket.write('N');
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const port = (plain.address() as AddressInfo).port;
    for (const query of ['?ssl=true', '?sslmode=require', '?sslmode=verify-full']) {
      const result = await cli(['migrate', '--database-url', `postgres://u:S3cr3tPw@127.0.0.1:${port}/x${query}`]);
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain('[DATABASE_TLS]');
    }
    expect(Buffer.concat(heard)).toHaveLength(3 * 8); // three SSLRequests
    await new Promise((resolve) => plain.close(resolve));
  });

  it('for a login that is taken over TLS alone is named as the way out', async () => {
    const result = await cli([
      'migrate',
      '--database-url',
      url((address) => Object.assign(address, { username: 'picky', password: 'pw' })),
    ]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('sslmode=require');
  });

  it('with a client certificate logs in without a password', async () => {
    const [cert, key] = [join(dir, 'client.crt'), join(dir, 'client.key')];
    writeFileSync(cert, CERTIFICATES.good.cert);
    writeFileSync(key, CERTIFICATES.good.key, { mode: 0o600 });
    const address = url(
      (changed) => Object.assign(changed, { username: 'good', password: '' }),
      `?sslrootcert=${authority}&sslcert=${cert}&sslkey=${key}`,
    );
    expect(await session(address)).toEqual(expect.objectContaining({ user: 'good', ssl: true }));
  });
});

describe('a socket', () => {
  let socket: Server;
  const pairs: Socket[] = [];
  beforeAll(async () => {
    // A real server behind it: our own has no socket, as its path may be too long.
    socket = createServer((client) => {
      const upstream = connect(server.port, '127.0.0.1');
      pairs.push(client, upstream);
      client.pipe(upstream).pipe(client);
      for (const end of [client, upstream]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => socket.listen(join(dir, '.s.PGSQL.5999'), resolve));
  });
  afterAll(async () => {
    for (const end of pairs) end.destroy();
    await new Promise((resolve) => socket.close(resolve));
  });

  it.each([
    'postgres://LOGIN@/DB?host=DIR&port=5999',
    'postgres:///DB?host=DIR&port=5999&user=USER&password=PW',
    'postgres://LOGIN@ENCODED:5999/DB',
    'PG',
  ])('%s is honoured, and is this machine', async (form) => {
    const { username, password, pathname } = new URL(server.url);
    const parts: Record<string, string> = {
      LOGIN: `${username}:${password}`,
      DB: pathname.slice(1),
      DIR: dir,
      ENCODED: encodeURIComponent(dir),
      USER: username,
      PW: password,
    };
    const vars = { PGHOST: dir, PGPORT: '5999', PGUSER: username, PGPASSWORD: password, PGDATABASE: pathname.slice(1) };
    const address = form.replaceAll(/LOGIN|ENCODED|USER|DIR|DB|PW/g, (name) => parts[name]!);
    const given = form === 'PG' ? { vars } : { vars: { DATABASE_URL: address } };
    expect(await cli(['migrate'], given)).toMatchObject({ exitCode: 0, stderr: '' });
    // Past the refusal of stores that are elsewhere; Redis is the next that is missing.
    const submitted = await cli(['submit', 'x', '--user', 'kim', '--redis-url', 'redis://127.0.0.1:1'], given);
    expect(submitted.stderr).not.toContain('TARGET_REFUSED');
  });
});

test('PGOPTIONS holds for those who only read, too', async () => {
  await admin.query('CREATE SCHEMA IF NOT EXISTS shop');
  const reading = new Database(server.url, { readOnly: true, variables: { PGOPTIONS: '-c search_path=shop' } });
  const [row] = await reading.query("SELECT current_setting('search_path') AS path, current_setting('transaction_read_only') AS only");
  expect(row).toEqual({ path: '"shop"', only: 'on' });
  await reading.close();
});

test('PGAPPNAME names the session, which is coupon-cli otherwise', async () => {
  expect(await session(server.url)).toMatchObject({ app: 'coupon-cli' });
  expect(await session(server.url, { PGAPPNAME: 'mine' })).toMatchObject({ app: 'mine' });
});

describe('the way to a server', () => {
  const picky = (query: string): string =>
    url((address) => {
      address.username = 'picky';
      address.password = 'pw';
    }, query);

  it.each([
    ['prefer encrypts where the server can', plainly, '?sslmode=prefer', true],
    ['allow does not, where the server takes that', plainly, '?sslmode=allow', false],
    ['allow does, where the server takes nothing else', picky, '?sslmode=allow', true],
    ['prefer, with the channel bound', picky, '?sslmode=prefer&channel_binding=prefer', true],
    ['require, with the channel bound', picky, '?sslmode=require&channel_binding=require', true],
  ])('%s', async (_name, address, query, ssl) => {
    expect(await session(address(query))).toMatchObject({ ssl });
  });

  it('prefer goes on without TLS where the server has none', async () => {
    await admin.query('ALTER SYSTEM SET ssl = off');
    await admin.query('SELECT pg_reload_conf()');
    await until(async () => (await admin.query('SHOW ssl')).rows[0].ssl === 'off');
    try {
      expect(await session(`${server.url}?sslmode=prefer`)).toMatchObject({ ssl: false });
      await expect(session(`${server.url}?sslmode=require`)).rejects.toMatchObject({ code: 'DATABASE_TLS' });
    } finally {
      await admin.query('ALTER SYSTEM SET ssl = on');
      await admin.query('SELECT pg_reload_conf()');
      await until(async () => (await admin.query('SHOW ssl')).rows[0].ssl === 'on');
    }
  });

  it('a login that does not bind the channel is refused where that is asked for', async () => {
    // By client certificate there is no SCRAM, and so nothing to bind.
    const query = `?sslmode=require&channel_binding=require&sslcert=${join(server.dir, 'server.crt')}&sslkey=${join(server.dir, 'server.key')}`;
    await expect(session(url((address) => (address.username = 'good'), query))).rejects.toMatchObject({
      code: 'DATABASE_AUTH',
      kind: 'usage',
    });
  });

  it('the next host of a list is asked where one does not answer, or is not what was asked for', async () => {
    const { port, username, password, pathname } = new URL(server.url);
    const list = (query: string): string => `postgres://${username}:${password}@127.0.0.1:1,127.0.0.1:${port}${pathname}${query}`;
    expect(await session(list(''))).toMatchObject({ ssl: false });
    expect(await session(list('?target_session_attrs=read-write'))).toMatchObject({ ssl: false });
    expect(await session(list('?target_session_attrs=prefer-standby'))).toMatchObject({ ssl: false });
    await expect(session(list('?target_session_attrs=standby'))).rejects.toMatchObject({
      kind: 'unreachable',
      why: expect.stringMatching(/not "standby"|ECONNREFUSED/),
    });
    await admin.query(`ALTER ROLE picky SET default_transaction_read_only = on`);
    await expect(session(picky('?sslmode=require&target_session_attrs=read-write'))).rejects.toMatchObject({ code: 'DATABASE_ROLE' });
    expect(await session(picky('?sslmode=require&target_session_attrs=read-only'))).toMatchObject({ ssl: true });
    await admin.query('ALTER ROLE picky RESET default_transaction_read_only');
  });
});

function plainly(query: string): string {
  return `${server.url}${query}`;
}
