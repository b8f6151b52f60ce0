import { once } from 'node:events';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { stackDown, stackUp, type Stack } from '../../src/stack/stack.ts';
import { until } from '../../src/stack/wait.ts';
import { testHost } from '../support/host.ts';
import { REPOSITORY, StackDirs } from '../support/stack-dir.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const host = testHost();
const dirs = new StackDirs(host);
afterAll(async () => await dirs.removeAll());

interface Step {
  event: 'log' | 'unpacked' | 'up' | 'down';
  value: unknown;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function child(args: string[], options: { env?: Record<string, string>; cwd?: string } = {}): Child {
  const program = fileURLToPath(new URL('../support/stack-child.ts', import.meta.url));
  const tsx = join(REPOSITORY, 'node_modules', 'tsx', 'dist', 'esm', 'index.mjs');
  return spawn(process.execPath, ['--import', `file://${tsx}`, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

async function* steps(of: Child): AsyncGenerator<Step> {
  for await (const line of createInterface({ input: of.stdout })) yield JSON.parse(line) as Step;
}

it('adopts the servers of a process that was killed while it brought them up', async () => {
  const dir = dirs.next('killed');
  const starter = child([dir]);
  const ended = once(starter, 'exit');
  await until(() => (existsSync(join(dir, 'redis', 'redis.pid')) ? true : null), 30_000); // initdb is at work by then
  starter.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(existsSync(join(dir, 'lock'))).toBe(true);

  const stack = await stackUp(host, { dir });
  expect(stack).toMatchObject({ redis: { running: true }, postgres: { running: true } });
  expect(await stackDown(host, { dir, purge: true })).toEqual({ stopped: ['redis', 'postgres'], purged: true });
});

it('leaves its servers to others when it ends, and holds nobody up with them', async () => {
  const dir = dirs.next('ended');
  let left: Stack | null = null;
  for await (const { event, value } of steps(child([dir]))) {
    if (event === 'up') left = value as Stack;
  } // ends when nobody holds the pipe any more
  expect(await stackUp(host, { dir })).toEqual(left);

  // Nobody collects these two when they die: their parent is gone, and the first process of a container may not care.
  for (const pid of [left!.redis.pid!, left!.postgres.pid!]) process.kill(pid, 'SIGKILL');
  const again = await stackUp(host, { dir });
  const places = ({ redisUrl, databaseUrl }: Stack): string[] => [redisUrl, databaseUrl].map((url) => new URL(url).host);
  expect(places(again)).toEqual(places(left!));
  await stackDown(host, { dir, purge: true });
});

it.runIf(host.uid === 0)('works for an ordinary user without a home, on a machine without package lists', async () => {
  const parent = mkdtempSync('/var/tmp/coupon-cli-test-');
  chmodSync(parent, 0o777);
  const nobody = { cwd: '/', env: { PATH: host.path, HOME: '/nonexistent', TMPDIR: parent } };
  try {
    const run = child([join(parent, 'stack'), 'cold', '65534'], nobody);
    let complaints = '';
    run.stderr.on('data', (text: Buffer) => (complaints += String(text)));
    const seen: Step[] = [];
    for await (const step of steps(run)) seen.push(step);
    expect(complaints).toBe('');
    const value = (event: Step['event']): unknown => seen.find((step) => step.event === event)?.value;
    const { how } = (value('unpacked') ?? { how: null }) as { how: string | null };
    expect(how?.replace(/^\w+/, 'Debian') ?? null).toBe(existsSync('/etc/debian_version') ? 'Debian package unpacked' : null);
    expect(value('up')).toMatchObject({ redis: { running: true }, postgres: { running: true } });
    expect(value('down')).toEqual({ stopped: ['redis', 'postgres'], purged: true });
    expect(existsSync(join(parent, 'stack'))).toBe(false);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});
