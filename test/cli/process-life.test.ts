import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { defaultStackDir, stackDown } from '../../src/stack/stack.ts';
import { testHost } from '../support/host.ts';
import { BIN, cleanEnvironment, runToEnd, start, type Running } from '../support/processes.ts';
import { program } from '../support/shells.ts';
import { REPOSITORY } from '../support/stack-dir.ts';
import { openStores } from '../support/stores.ts';
import { at, cli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const host = testHost();

/** A copy of the program, whose stacks are its own: other tests use those of this checkout meanwhile. */
const copy = mkdtempSync(join('/var/tmp', 'coupon-cli-copy-'));
for (const name of ['bin', 'dist', 'package.json']) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
for (const name of ['node_modules', 'scenarios', 'schemas']) symlinkSync(join(REPOSITORY, name), join(copy, name));
const bin = join(copy, 'bin', 'coupon-cli.js');
const dir = defaultStackDir(host, copy, 'bench');

afterAll(async () => {
  await stackDown(host, { dir, purge: true });
  rmSync(copy, { recursive: true });
});

/** Command lines of everything that the copy has started: servers, `serve`, `drain` and the keeper. */
function started(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // ended meanwhile
      }
    })
    .filter((line) => line.includes(`${dir}/`) || line.includes(bin));
}

async function benchUnderLoad(): Promise<Running> {
  const running = start(['bench', 'flash-sale', '--stack', '--json'], { bin });
  await until(() => [/ serve /, / drain /].every((pattern) => started().some((line) => pattern.test(line))), 60_000);
  return running;
}

describe.runIf(host.platform === 'linux')('what `bench --stack` has started', () => {
  it.each(['SIGKILL', 'SIGHUP'] as const)('is gone after %s', async (signal) => {
    const running = await benchUnderLoad();
    running.child.kill(signal);
    await running.finished;
    await until(() => started().length === 0, 60_000);
    expect(started()).toEqual([]);
  });

  it('is shown by `dev status` meanwhile, and stopped by `dev down --all`', async () => {
    const running = await benchUnderLoad();
    const { stdout } = await cli(['dev', 'status'], { packageDir: copy });
    expect(stdout).toMatch(/^bench\s+Redis\s+running/m);
    const down = await cli(['dev', 'down', '--all', '--json'], { packageDir: copy });
    expect(down.json<{ stacks: unknown[] }>().stacks).toContainEqual({ stack: 'bench', stopped: ['redis', 'postgres'], purged: false });
    running.child.kill('SIGKILL');
    await running.finished;
    await until(() => started().length === 0, 60_000);
    expect((await cli(['dev', 'down', '--stack', 'none'], { packageDir: copy })).stderr).toContain('[STACK_UNKNOWN]');
  });

  it('stays with --keep, with the commands to use it and to end it', async () => {
    const { exitCode, stderr } = await runToEnd(['bench', 'smoke', '--stack', '--keep'], { bin });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('coupon-cli dev env --stack bench');
    const named = /`coupon-cli (dev down --stack bench)`/.exec(stderr)![1]!;
    const env = await cli(['dev', 'env', '--stack', 'bench'], { packageDir: copy });
    expect(env.stdout).toMatch(/^export REDIS_URL='redis:/);
    const { REDIS_URL, DATABASE_URL } = (await cli(['dev', 'env', '--stack', 'bench', '--json'], { packageDir: copy })).json() as Record<
      string,
      string
    >;
    const printed = 'console.log(process.env.REDIS_URL, process.env.DATABASE_URL)';
    const read = `'${process.execPath}' -e '${printed}'`;
    const linesFor = async (shell: string): Promise<string> => {
      const file = join(copy, `env.${shell}`);
      writeFileSync(file, (await cli(['dev', 'env', '--stack', 'bench', '--shell', shell], { packageDir: copy })).stdout);
      return file;
    };
    const told: [string, string[]][] = [
      ['sh', ['-c', `. '${await linesFor('sh')}'; ${read}`]],
      ...(program('fish')
        ? ([['fish', ['--no-config', '-c', `source '${await linesFor('fish')}'; ${read}`]]] as [string, string[]][])
        : []),
      [process.execPath, [`--env-file=${await linesFor('dotenv')}`, '-e', printed]],
    ];
    for (const [shell, argv] of told)
      expect(execFileSync(shell, argv, { env: { PATH: process.env['PATH'], HOME: copy }, encoding: 'utf8' })).toBe(
        `${REDIS_URL} ${DATABASE_URL}\n`,
      );
    const lines = readFileSync(await linesFor('powershell'), 'utf8');
    expect(lines).toBe(`$env:REDIS_URL = '${REDIS_URL}'\n$env:DATABASE_URL = '${DATABASE_URL}'\n`);
    expect((await cli(named.split(' '), { packageDir: copy })).stdout).toBe('stopped: redis, postgres\n');
  });
});

describe('SIGHUP ends as SIGTERM does', () => {
  it.each([
    ['drain', ['drain', '--interval', '100ms'], 0],
    ['serve', ['serve', '--port', '0'], 0],
    ['inspect --watch', ['inspect', '--watch'], 0],
  ] as const)('%s', async (_name, argv, exitCode) => {
    await using stores = await openStores();
    const child = spawn(process.execPath, [BIN, ...at(stores), ...argv], { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<[number | null, string | null]>((resolve) => {
      child.once('close', (code, signal) => resolve([code, signal]));
    });
    await until(() => said !== '', 30_000);
    child.kill('SIGHUP');
    expect(await ended).toEqual([exitCode, null]);
  });
});
