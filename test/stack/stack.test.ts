import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { worksIn } from '../../src/stack/ownership.ts';
import { stackPaths } from '../../src/stack/paths.ts';
import { serverIdentity } from '../../src/stack/server-user.ts';
import { stackDown, stackStatus, stackUp, type Stack } from '../../src/stack/stack.ts';
import { until } from '../../src/stack/wait.ts';
import { testHost } from '../support/host.ts';
import { StackDirs } from '../support/stack-dir.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const host = testHost();
const dirs = new StackDirs(host);
afterAll(async () => await dirs.removeAll());

async function withRedis<T>(stack: Stack, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(stack.redisUrl, { lazyConnect: true });
  redis.on('error', () => {});
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function sql(stack: Stack, text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** A URL without its password. */
function place(url: string): string {
  return url.replace(/:[^:@/]*@/, '@');
}

/** Redis answers with names and values in turn. */
function pairs(flat: unknown): [string, unknown][] {
  const list = flat as string[];
  return list.flatMap((name, index): [string, unknown][] => (index % 2 === 0 ? [[name, list[index + 1]]] : []));
}

describe('a stack', () => {
  const dir = dirs.next('life');
  let stack: Stack;

  it('comes up once when two ask for it at once', async () => {
    const [one, two] = await Promise.all([stackUp(host, { dir }), stackUp(host, { dir })]);
    expect(one).toEqual(two);
    stack = one;
  });

  it('says nothing and changes nothing when it is up already', async () => {
    const lines: string[] = [];
    expect(await stackUp(host, { dir, log: (line) => lines.push(line) })).toEqual(stack);
    expect(lines).toEqual([]);
    expect(await stackStatus(host, { dir })).toEqual({ dir, redis: stack.redis, postgres: stack.postgres });
  });

  it('keeps what Redis and PostgreSQL have acknowledged', async () => {
    const wanted = {
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
      save: '',
      databases: '64',
      bind: '127.0.0.1',
    };
    const settings = await withRedis(stack, async (redis) => await redis.config('GET', ...Object.keys(wanted)));
    expect(Object.fromEntries(pairs(settings))).toEqual(wanted);

    const [row] = await sql(
      stack,
      `select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('listen_addresses'),
              current_setting('server_encoding'), datcollate from pg_database where datname = current_database()`,
    );
    expect(row).toEqual(['on', 'on', '127.0.0.1', 'UTF8', host.platform === 'darwin' ? 'C' : 'C.UTF-8']);
  });

  it('lets nobody in without the password, and shows it to nobody else', async () => {
    // redis-cli 7.0 answers WRONGPASS to a URL without a user.
    expect(stack.redisUrl).toMatch(/^redis:\/\/default:/);
    await expect(
      withRedis({ ...stack, redisUrl: stack.redisUrl.replace(/[^/@]*@/, '') }, async (redis) => await redis.ping()),
    ).rejects.toThrow(/NOAUTH/);
    await expect(sql({ ...stack, databaseUrl: stack.databaseUrl.replace(/:[^:@]*@/, ':wrong@') }, 'select 1')).rejects.toThrow(/password/);
    const paths = stackPaths(dir);
    const files = [paths.secrets, paths.redis, paths.postgres, paths.redisLog, paths.postgresLog];
    expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  });

  it('has its data back after both servers were killed', async () => {
    await withRedis(stack, async (redis) => await redis.set('kept', 'yes'));
    await sql(stack, 'create table kept as select 42 as answer');
    for (const pid of [stack.redis.pid!, stack.postgres.pid!]) process.kill(pid, 'SIGKILL');

    const again = await stackUp(host, { dir });
    // The same places, and new passwords: those of a stopped server may be known by now.
    expect([again.redisUrl, again.databaseUrl].map(place)).toEqual([stack.redisUrl, stack.databaseUrl].map(place));
    expect(again.redisUrl).not.toBe(stack.redisUrl);
    expect(again.databaseUrl).not.toBe(stack.databaseUrl);
    await expect(sql(stack, 'select 1')).rejects.toThrow(/password/);
    expect(again.redis.pid).not.toBe(stack.redis.pid);
    expect(await withRedis(again, async (redis) => await redis.get('kept'))).toBe('yes');
    expect(await sql(again, 'select answer from kept')).toEqual([[42]]);
  });

  it.runIf(host.platform === 'linux')('starts again although a stranger has got the pid that a crash left on file', async () => {
    const pidFile = join(stackPaths(dir).postgresData, 'postmaster.pid');
    const { postgres } = await stackStatus(host, { dir });
    process.kill(postgres.pid!, 'SIGKILL');
    const as = serverIdentity(host); // PostgreSQL ignores strangers of another user by itself
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore', ...(as === null ? {} : { uid: as.uid, gid: as.gid }) });
    try {
      writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid)));
      const again = await stackUp(host, { dir });
      expect(again.postgres.pid).not.toBe(stranger.pid);
      expect(await sql(again, 'select answer from kept')).toEqual([[42]]);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('stops both servers and keeps their data', async () => {
    expect(await stackDown(host, { dir })).toEqual({ stopped: ['redis', 'postgres'], purged: false });
    expect(await stackStatus(host, { dir })).toMatchObject({
      redis: { running: false, url: null, pid: null },
      postgres: { running: false },
    });
    expect(await stackDown(host, { dir })).toEqual({ stopped: [], purged: false });
  });

  it('never signals a stranger whose pid a dead server left on file', async () => {
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      const pidFile = join(stackPaths(dir).redis, 'redis.pid');
      writeFileSync(pidFile, `${stranger.pid}\n`);
      const as = serverIdentity(host);
      if (as !== null) chownSync(pidFile, as.uid, as.gid);
      expect(await stackDown(host, { dir })).toEqual({ stopped: [], purged: false });
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('moves to another port when somebody took its own', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(Number(new URL(stack.databaseUrl).port), '127.0.0.1');
    await once(taken, 'listening');
    try {
      const lines: string[] = [];
      const moved = await stackUp(host, { dir, log: (line) => lines.push(line) });
      expect(place(moved.databaseUrl)).not.toBe(place(stack.databaseUrl));
      expect(place(moved.redisUrl)).toBe(place(stack.redisUrl));
      expect(lines.join('\n')).toMatch(/port \d+ is taken: PostgreSQL moves to \d+/);
      expect(await sql(moved, 'select answer from kept')).toEqual([[42]]);
    } finally {
      taken.close();
    }
  });

  it('is gone after a purge, a file that is not its own excepted', async () => {
    writeFileSync(join(dir, 'note.txt'), 'mine');
    expect(await stackDown(host, { dir, purge: true })).toEqual({ stopped: ['redis', 'postgres'], purged: true });
    expect(readdirSync(dir)).toEqual(['note.txt']);
    rmSync(join(dir, 'note.txt'));
    expect(await stackDown(host, { dir, purge: true })).toEqual({ stopped: [], purged: false });
    expect(existsSync(dir)).toBe(false);
  });
});

it('a process is a server of ours only when it is that program and works in that folder', async () => {
  const folder = mkdtempSync('/var/tmp/coupon-cli-test-');
  const reader = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1e6)', join(folder, 'PG_VERSION')], {
    cwd: folder,
    stdio: 'ignore',
  });
  try {
    expect(await until(async () => ((await worksIn(host, reader.pid!, folder, ['node'])) ? true : null), 10_000)).toBe(true);
    expect(await worksIn(host, reader.pid!, folder, ['postgres'])).toBe(false);
    expect(await worksIn(host, reader.pid!, '/var/tmp', ['node'])).toBe(false);
  } finally {
    reader.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

describe('the folder of a stack', () => {
  const parent = mkdtempSync('/var/tmp/coupon-cli-test-');
  chmodSync(parent, 0o755);
  afterAll(() => rmSync(parent, { recursive: true, force: true }));

  it('may have a path of 150 characters, where no unix socket fits', async () => {
    const dir = dirs.next('long').padEnd(150, 'x');
    expect(dir).toHaveLength(150);
    dirs.add(dir);
    const stack = await stackUp(host, { dir });
    expect(await sql(stack, 'select 1')).toEqual([[1]]);
    await stackDown(host, { dir, purge: true });
    expect(existsSync(dir)).toBe(false);
  });

  it('is refused when it holds other things, and nothing in it is touched', async () => {
    const dir = join(parent, 'project');
    mkdirSync(join(dir, 'redis'), { recursive: true });
    await expect(stackUp(host, { dir })).rejects.toMatchObject({ code: 'STACK_DIR_IN_USE', kind: 'usage' });
    expect(await stackDown(host, { dir, purge: true })).toEqual({ stopped: [], purged: false });
    expect(readdirSync(dir)).toEqual(['redis']);
  });

  it('is refused when others may write it', async () => {
    const dir = join(parent, 'open');
    mkdirSync(dir);
    chmodSync(dir, 0o777);
    for (const command of [stackUp, stackDown, stackStatus]) {
      await expect(command(host, { dir })).rejects.toMatchObject({ code: 'STACK_DIR_NOT_OURS', kind: 'usage' });
    }
  });

  it.runIf(host.uid === 0)('is refused when it belongs to another user', async () => {
    const dir = join(parent, 'theirs');
    mkdirSync(dir, { mode: 0o755 });
    chownSync(dir, 65_534, 65_534);
    await expect(stackUp(host, { dir })).rejects.toMatchObject({ code: 'STACK_DIR_NOT_OURS' });
  });

  it.runIf(host.uid === 0)('is refused as root under a folder that the user of PostgreSQL cannot enter', async () => {
    const dir = join(parent, 'private', 'stack');
    mkdirSync(dirname(dir), { mode: 0o700 });
    await expect(stackUp(host, { dir })).rejects.toMatchObject({ code: 'STACK_DIR_PRIVATE', kind: 'usage' });
  });
});
