import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { findOnPath } from '../../src/lib/process/processes.ts';
import { prepareServerFolder } from '../../src/stack/server-folder.ts';
import { askPostgres } from '../../src/stack/postgres/ask.ts';
import { askRedis } from '../../src/stack/redis/ask.ts';
import { readPid } from '../../src/stack/small-file.ts';
import { stackPaths } from '../../src/stack/paths.ts';
import { serverIdentity } from '../../src/stack/server-user.ts';
import { stackDown, stackStatus, stackUp } from '../../src/stack/stack.ts';
import { testHost } from '../support/host.ts';
import { REPOSITORY, StackDirs } from '../support/stack-dir.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const host = testHost();
const isRoot = host.uid === 0;
const dirs = new StackDirs(host);
const started: ChildProcess[] = [];
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await dirs.removeAll();
});

/** Says yes to every password, tells what it heard, and never hangs up. As PostgreSQL it asks for the password in clear text. */
const LISTENER = `
  const { createServer } = require('node:net');
  for (const [kind, port] of [['redis', process.argv[1]], ['postgres', process.argv[2]]]) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        console.log(JSON.stringify(kind + ' ' + bytes.toString('latin1')));
        if (kind === 'postgres') socket.write(Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 3]));
        else socket.write('+OK\\r\\n+PONG\\r\\n$60\\r\\nredis_version:7.0.0\\r\\nprocess_id:1\\r\\n');
      });
    });
    server.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify('ready')));
  }`;

interface Listener {
  heard: string[];
  child: ChildProcess;
}

async function listen(redisPort: string, postgresPort: string, uid: number | undefined): Promise<Listener> {
  const child = spawn(process.execPath, ['-e', LISTENER, redisPort, postgresPort], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  started.push(child);
  const heard: string[] = [];
  let ready = 0;
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the listener has ended')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as string;
      if (said === 'ready') ready += 1;
      else heard.push(said);
      if (ready === 2) resolve();
    });
  });
  return { heard, child };
}

const port = (url: string): string => new URL(url).port;

/** A user who is neither us nor the one whom the servers run as. */
const STRANGER = 64_999;

describe('another process on the ports of a stopped stack', () => {
  it.runIf(isRoot)('hears no password, and is not taken for ours, when it is another user’s', async () => {
    const dir = dirs.next('hostile');
    const before = await stackUp(host, { dir });
    await stackDown(host, { dir });
    const secrets = readFileSync(stackPaths(dir).secrets, 'utf8');
    const { heard, child } = await listen(port(before.redisUrl), port(before.databaseUrl), STRANGER);

    expect(await stackStatus(host, { dir })).toMatchObject({
      redis: { running: false, url: null },
      postgres: { running: false, url: null },
    });
    const after = await stackUp(host, { dir });
    expect(port(after.redisUrl)).not.toBe(port(before.redisUrl));
    expect(port(after.databaseUrl)).not.toBe(port(before.databaseUrl));
    expect(heard).toEqual([]);
    expect(readFileSync(stackPaths(dir).secrets, 'utf8')).not.toBe(secrets);
    child.kill('SIGKILL');
  });

  it('hears no password, and is not taken for ours, when it is our own', async () => {
    const dir = dirs.next('own');
    const before = await stackUp(host, { dir });
    await stackDown(host, { dir });
    const { heard, child } = await listen(port(before.redisUrl), port(before.databaseUrl), undefined);
    expect(await stackStatus(host, { dir })).toMatchObject({ redis: { running: false }, postgres: { running: false } });
    expect(heard).toEqual([]);
    child.kill('SIGKILL');
  });

  it('is refused when it wants the password in clear text, and holds nobody up', async () => {
    const { heard, child } = await listen('21999', '21998', undefined);
    expect(await askPostgres(21_998, 'top-secret')).toBeNull();
    expect(heard.filter((text) => text.includes('top-secret'))).toEqual([]);
    // It goes on talking and never hangs up: the limit is for the whole of the question.
    await askRedis(21_999, 'another');
    child.kill('SIGKILL');
    await once(child, 'exit').catch(() => undefined);
  });
});

const setpriv = findOnPath(host, ['setpriv']);

it.runIf(isRoot && setpriv !== null)(
  'a stack of root comes up where root may not look into other users’ processes, as in a container',
  async () => {
    const dir = dirs.next('container');
    const tsx = join(REPOSITORY, 'node_modules', 'tsx', 'dist', 'esm', 'index.mjs');
    const program = join(REPOSITORY, 'test', 'support', 'stack-child.ts');
    const up = spawnSync(
      setpriv!,
      ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace', process.execPath, '--import', `file://${tsx}`, program, dir],
      { encoding: 'utf8' },
    );
    expect(up.stdout).toContain('"event":"up"');
    expect(await stackDown(host, { dir, purge: true })).toMatchObject({ stopped: ['redis', 'postgres'] });
  },
);

describe('links that another user planted', () => {
  it.runIf(isRoot)('lead neither a start nor a purge astray', async () => {
    const dir = dirs.next('links');
    await stackUp(host, { dir });
    await stackDown(host, { dir });
    const paths = stackPaths(dir);
    const precious = mkdtempSync(join(tmpdir(), 'precious-'));
    const target = join(precious, 'file');
    writeFileSync(target, 'important', { mode: 0o600 });
    const as = serverIdentity(host)!;
    // As the user whom the servers run as, who owns both folders.
    const planted = spawnSync(
      'sh',
      [
        '-c',
        `cd ${paths.postgres} && mv data old && ln -s ${target} password && ln -s ${target} new-x &&
         cd ${paths.redis} && ln -s ${target} redis.conf && ln -s ${precious} away`,
      ],
      { uid: as.uid, gid: as.gid, cwd: '/' },
    );
    expect(planted.status).toBe(0);

    await stackUp(host, { dir });
    await stackDown(host, { dir, purge: true });
    expect(readFileSync(target, 'utf8')).toBe('important');
    expect(lstatSync(target)).toMatchObject({ uid: 0, mode: expect.toSatisfy((mode: number) => (mode & 0o777) === 0o600) });
    rmSync(precious, { recursive: true });
  });

  it('are no pid files, and neither is a pipe that nobody writes to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pids-'));
    writeFileSync(join(folder, 'pid'), '42\n');
    symlinkSync('pid', join(folder, 'link'));
    expect(spawnSync('sh', ['-c', `mkfifo ${join(folder, 'pipe')}`]).status).toBe(0);
    expect(['pid', 'link', 'pipe', 'none'].map((name) => readPid(join(folder, name)))).toEqual([42, null, null, null]);
  });

  it.runIf(isRoot)('could be in a data folder of yet another user, which is refused', async () => {
    const folder = mkdtempSync('/var/tmp/coupon-cli-test-');
    spawnSync('chown', [String(STRANGER), folder]);
    await expect(prepareServerFolder(host, folder, serverIdentity(host))).rejects.toMatchObject({ code: 'STACK_DIR_NOT_OURS' });
    expect(lstatSync(folder).uid).toBe(STRANGER);
    rmSync(folder, { recursive: true });
  });

  it.runIf(isRoot)('a stack is refused in a folder of another user', async () => {
    const parent = mkdtempSync('/var/tmp/coupon-cli-test-');
    spawnSync('chmod', ['755', parent]);
    const dir = join(parent, 'stack');
    mkdirSync(dir);
    spawnSync('chown', [String(STRANGER), dir]);
    await expect(stackUp(host, { dir })).rejects.toMatchObject({ code: 'STACK_DIR_NOT_OURS' });
    rmSync(parent, { recursive: true });
  });
});
