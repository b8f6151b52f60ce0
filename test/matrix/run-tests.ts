import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isExecutable } from '../../src/lib/process/processes.ts';
import { REPOSITORY } from '../support/stack-dir.ts';
import type { Witness } from './witness.ts';

/** The story of a campaign from end to end, and the stores; together they touch every script and every statement, which is checked. */
const TESTS = [
  'test/stores',
  'test/operate/seed-all.test.ts',
  'test/operate/adopt',
  'test/operate/remove',
  'test/cli/commands/adopt.test.ts',
  'test/cli/commands/seed-drain.test.ts',
  'test/cli/commands/dead.test.ts',
  'test/audit/repair',
  'test/admission/serve/requests.test.ts',
  'test/baselines/rdb-lock.test.ts',
  'test/e2e/grants.test.ts',
  'test/e2e/key-prefix.test.ts',
  'test/e2e/redis-addresses.test.ts',
  'test/e2e/redis-cluster.test.ts',
];

/** Minutes that no version makes a difference to; each kind of step is taken by other tests of these files. */
const LEFT_OUT = [
  'none of it is too much',
  'a right that is taken away',
  'may be interrupted after any',
  'does not disturb a live sale',
  'keeps every accepted user',
  'how many accepted users may be missing',
  'a thousand users at once',
];

const LIMIT_MS = 20 * 60_000;

export interface Outcome {
  witness: Witness | null;
  passed: number;
  /** Why it is no success; empty when it is one. */
  problems: string[];
}

interface Report {
  numPassedTests: number;
  success: boolean;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/**
 * Runs the tests with a folder first on the PATH, where the stack, the tests and the shell look for programs.
 *
 * @param first null: with what this machine has
 */
export async function runTests(first: string | null): Promise<Outcome> {
  const work = mkdtempSync(join(tmpdir(), 'coupon-matrix-'));
  const [log, report, witness] = ['log', 'report.json', 'witness.json'].map((name) => join(work, name)) as [string, string, string];
  const env: NodeJS.ProcessEnv = { ...process.env, COUPON_TEST_REPORT: report, COUPON_TEST_WITNESS: witness };
  delete env['COUPON_TEST_REDIS_URL'];
  if (first !== null) env['PATH'] = `${first}:${env['PATH'] ?? ''}`;
  const own = first === null ? '' : join(first, 'node');
  try {
    // A slow machine is no failure of a version.
    const names = `^(?!.*(${LEFT_OUT.join('|')}))`;
    const patience = ['--testTimeout=240000', '--hookTimeout=240000'];
    const vitest = join(REPOSITORY, 'node_modules', 'vitest', 'vitest.mjs');
    await runToEnd(isExecutable(own) ? own : process.execPath, [vitest, 'run', ...TESTS, '-t', names, ...patience], env, log);
    return outcomeOf(readJson<Report>(report), readJson<Witness>(witness), readFileSync(log, 'utf8'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function outcomeOf(report: Report | null, witness: Witness | null, said: string): Outcome {
  if (report === null || witness === null) return { witness, passed: 0, problems: [`the run came to no end: ${said.trim().slice(-1000)}`] };
  const failed = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${stripVTControlCharacters(failureMessages.join('\n')).slice(0, 1_000)}`);
    return status === 'failed' && tests.length === 0 ? [`${name}: ${message}`] : tests;
  });
  const untouched = witness.untouched.map((name) => `nothing has run ${name}`);
  const problems = [...failed, ...untouched];
  return { witness, passed: report.numPassedTests, problems: report.success || problems.length > 0 ? problems : ['the run failed'] };
}

async function runToEnd(command: string, args: string[], env: NodeJS.ProcessEnv, log: string): Promise<void> {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { cwd: REPOSITORY, env, stdio: ['ignore', output, output] });
  closeSync(output);
  // Politely first: the run takes its servers down, which also end on their own when it is gone.
  const limits = (['SIGTERM', 'SIGKILL'] as const).map((signal, at) => setTimeout(() => child.kill(signal), LIMIT_MS + at * 60_000));
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  for (const limit of limits) clearTimeout(limit);
}

function readJson<T>(file: string): T | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : null;
}
