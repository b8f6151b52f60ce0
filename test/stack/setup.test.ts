import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../src/stack/wait.ts';
import { REPOSITORY } from '../support/stack-dir.ts';

/** bin/setup in a small clone, with an npm that only keeps a list of what it was asked to do. */
let home: string;
let clone: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'coupon-cli-setup-'));
  clone = join(home, 'a clone');
  for (const folder of ['bin', 'src', 'scripts']) mkdirSync(join(clone, folder), { recursive: true });
  mkdirSync(join(home, 'programs'));
  copyFileSync(join(REPOSITORY, 'bin', 'setup'), join(clone, 'bin', 'setup'));
  for (const file of ['package.json', 'npm-shrinkwrap.json', 'tsconfig.json', 'tsconfig.build.json', 'src/main.ts', 'scripts/copy.js']) {
    writeFileSync(join(clone, file), '{}\n');
  }
  program(
    'npm',
    `echo "npm $*" >>'${home}/calls'
     tries=0
     while [ -e '${home}/block' ] && [ $tries -lt 600 ]; do tries=$((tries + 1)) && sleep 0.05; done
     case "$1" in
       ci) rm -rf node_modules && mkdir -p node_modules/typescript && echo {} >node_modules/typescript/package.json && echo added 1 package ;;
       run) mkdir -p dist && echo built >dist/main.js ;;
     esac`,
  );
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function program(name: string, body: string): void {
  writeFileSync(join(home, 'programs', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function start(env: Record<string, string> = {}): { pid: number; run: Run; done: Promise<Run> } {
  const path = `${join(home, 'programs')}:${process.env['PATH']}`;
  const child = spawn('sh', [join(clone, 'bin', 'setup')], { cwd: '/', env: { ...process.env, ...env, PATH: path }, detached: true });
  const run: Run = { code: -1, stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => (run.stdout += String(text)));
  child.stderr.on('data', (text: Buffer) => (run.stderr += String(text)));
  return { pid: child.pid!, run, done: once(child, 'close').then(([code]) => ({ ...run, code: code as number })) };
}

async function setup(env?: Record<string, string>): Promise<Run> {
  return await start(env).done;
}

/** What npm was asked to do since the last time. */
function calls(): string[] {
  const file = join(home, 'calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines.map((line) => line.split(' ').slice(0, 3).join(' '));
}

const BOTH = ['npm ci --include=dev', 'npm run --silent'];

it('installs and builds a bare clone, with nothing on stdout, and then has nothing to do or say', async () => {
  const first = await setup({ NODE_ENV: 'production', npm_config_ignore_scripts: 'true' });
  expect(first).toMatchObject({ code: 0, stdout: '' });
  expect(first.stderr).toBe('setup: installing dependencies\nadded 1 package\nsetup: building\n');
  expect(calls()).toEqual(BOTH);
  expect(await setup()).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(calls()).toEqual([]);
  expect(existsSync(join(clone, '.setup.lock'))).toBe(false);
});

it('installs again when the lock file changed, and builds again when the source changed or the build is gone', async () => {
  await setup();
  calls();
  appendFileSync(join(clone, 'src', 'main.ts'), '// more\n');
  await setup();
  expect(calls()).toEqual(['npm run --silent']);
  rmSync(join(clone, 'dist'), { recursive: true });
  await setup();
  expect(calls()).toEqual(['npm run --silent']);
  appendFileSync(join(clone, 'npm-shrinkwrap.json'), ' ');
  await setup();
  expect(calls()).toEqual(BOTH);
});

it('leaves an install by hand as it is', async () => {
  mkdirSync(join(clone, 'node_modules', 'typescript'), { recursive: true });
  for (const file of ['typescript/package.json', '.package-lock.json']) writeFileSync(join(clone, 'node_modules', file), '{}');
  utimesSync(join(clone, 'npm-shrinkwrap.json'), 1e9, 1e9);
  await setup();
  expect(calls()).toEqual(['npm run --silent']);
});

it('lets the second of two wait, and do nothing', async () => {
  writeFileSync(join(home, 'block'), '');
  const first = start();
  await until(() => (existsSync(join(home, 'calls')) ? true : null), 20_000);
  const second = start();
  await until(() => (second.run.stderr.includes(`waiting for another setup (pid ${first.pid})`) ? true : null), 20_000);
  rmSync(join(home, 'block')); // the first goes on
  expect((await Promise.all([first.done, second.done])).map(({ code }) => code)).toEqual([0, 0]);
  expect(calls()).toEqual(BOTH);
});

it('takes over from a setup that was killed', async () => {
  writeFileSync(join(home, 'block'), '');
  const first = start();
  await until(() => (existsSync(join(home, 'calls')) ? true : null), 20_000);
  process.kill(-first.pid, 'SIGKILL');
  await first.done;
  expect(existsSync(join(clone, '.setup.lock'))).toBe(true);
  rmSync(join(home, 'block'));
  calls();
  expect(await setup()).toMatchObject({ code: 0 });
  expect(calls()).toEqual(BOTH);
  expect(existsSync(join(clone, '.setup.lock'))).toBe(false);
});

it('gives up with the exit code 1 when npm fails, and starts over the next time', async () => {
  program('npm', 'echo "no network" >&2; exit 7');
  expect(await setup()).toMatchObject({ code: 1, stderr: 'setup: installing dependencies\nno network\nsetup: npm ci failed\n' });
  expect(existsSync(join(clone, '.setup.lock'))).toBe(false);
  expect((await setup()).stderr).toContain('installing');
});

it('asks for a newer Node.js before anything else', async () => {
  program('node', 'echo 20.18.3');
  const { code, stderr } = await setup();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^setup: Node\.js 20\.19 or newer is needed; this is 20\.18\.3 \(.*node\)\.\n$/);
  expect(calls()).toEqual([]);
});
