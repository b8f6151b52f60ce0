/**
 * `npm run test:package`: the packed tarball, run by each package manager on each supported Node. Exit code 1 if one of them fails; what
 * cannot be had is named as not run.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { lastLines, run, type Output } from '../../src/lib/process/processes.ts';
import { cacheDir } from '../../src/stack/paths.ts';
import { defaultStackDir } from '../../src/stack/stack.ts';
import { npmNode } from '../matrix/npm.ts';
import { testHost } from '../support/host.ts';
import { ROOT } from '../support/markdown.ts';
import { REPOSITORY } from '../support/stack-dir.ts';
import { MANAGERS, type Manager } from './managers.ts';

const NODES = ['20', '22', '24'];
const LIMIT_MS = 300_000;

const host = testHost();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** Programs of the tarball, and what they must print: the second one reads files that the package brings. */
const CALLS: [string[], RegExp][] = [
  [['--version'], new RegExp(`^${version.replaceAll('.', '\\.')}$`, 'm')],
  [['bench', 'list'], /flash-sale/],
];

async function inFolder(folder: string, path: string, [program, ...args]: string[]): Promise<Output> {
  const env = { ...host.env, PATH: path, npm_config_loglevel: 'error', YARN_ENABLE_TELEMETRY: '0' };
  return await run(program!, args, { env, timeoutMs: LIMIT_MS, cwd: folder });
}

/** Null: it works. */
async function problemOf(manager: Manager, tarball: string, path: string): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-manager-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "name": "somebody", "private": true }\n');
    for (const [args, printed] of CALLS) {
      const { code, stdout, stderr } = await inFolder(folder, path, [...manager.command(tarball), ...args]);
      if (code !== 0 || !printed.test(stdout)) return `${args.join(' ')} ended with ${code}: ${lastLines(`${stdout}\n${stderr}`)}`;
    }
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function reasonNotToRun({ brought }: Manager): Promise<string | null> {
  if (brought === null) return null;
  const { code, stderr } = await run('npm', ['view', brought, 'version'], { env: host.env, timeoutMs: LIMIT_MS });
  return code === 0 ? null : `npm does not offer ${brought}: ${lastLines(stderr, 1)}`;
}

async function main(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'coupon-packed-'));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', home], {
    env: host.env,
    timeoutMs: LIMIT_MS,
    cwd: ROOT,
  });
  if (packed.code !== 0) throw new Error(lastLines(packed.stderr));
  const tarball = join(home, readdirSync(home)[0]!);
  let [passed, failed] = [0, 0];
  for (const major of NODES) {
    const node = await npmNode(host, cacheDir(host, defaultStackDir(host, REPOSITORY, 'package')), major, say);
    for (const manager of MANAGERS) {
      const name = `${manager.name} on Node ${major}`;
      const reason = node.kind === 'unavailable' ? node.why : await reasonNotToRun(manager);
      if (node.kind === 'unavailable' || reason !== null) {
        say(`not run: ${name}: ${reason}`);
        continue;
      }
      const problem = await problemOf(manager, tarball, `${node.folder}${delimiter}${host.path}`);
      if (problem === null) passed += 1;
      else failed += 1;
      say(problem === null ? `passed: ${name}` : `failed: ${name}: ${problem}`);
    }
  }
  rmSync(home, { recursive: true, force: true });
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
