import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { yamlFile } from '../support/deploy.ts';
import { ROOT } from '../support/markdown.ts';
import { cleanEnvironment } from '../support/processes.ts';

interface Step {
  name: string;
  shell?: string;
  run?: string;
  uses?: string;
  env?: Record<string, string>;
  with?: Record<string, string>;
}
interface Action {
  inputs: Record<string, { default: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: Step[] };
}

const action = yamlFile<Action>('action.yml');

/** Runs the steps as GitHub does: expressions replaced, one shell for each, the first failure ends it. */
function runAction(given: Record<string, string>): {
  failed: string | null;
  summary: string;
  output: string;
  folder: string;
  said: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-action-'));
  const [summary, output] = ['summary.md', 'output.txt'].map((name) => join(folder, name)) as [string, string];
  for (const file of [summary, output]) writeFileSync(file, '');
  const filled = (text: string): string =>
    text.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => given[name] ?? action.inputs[name]!.default);
  let said = '';
  let failed: string | null = null;
  for (const { name, run, env = {} } of action.runs.steps) {
    if (run === undefined || failed !== null) continue;
    const own = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, filled(value)]));
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...cleanEnvironment(), CI: 'true', GITHUB_ACTION_PATH: ROOT, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output, ...own },
    });
    said += stdout + stderr;
    if (status !== 0) failed = name;
  }
  return { failed, summary: readFileSync(summary, 'utf8'), output: readFileSync(output, 'utf8'), folder, said };
}

it('its steps run a bench, and leave the summary of the job and the report', { timeout: 300_000 }, () => {
  const { failed, summary, output, folder, said } = runAction({});
  expect(failed, said).toBeNull();
  expect(summary).toMatch(/smoke/);
  expect(summary).toMatch(/proven/);
  expect(output).toBe('report=coupon-report\n');
  expect(readdirSync(join(folder, 'coupon-report'))).toEqual(expect.arrayContaining(['report.html', 'report.json']));
});

it('a bench that cannot be run fails the job, and what is in an input is no shell', () => {
  const { failed, folder } = runAction({ scenario: 'nothing"; touch planted; "' });
  expect(failed).toBe('Bench');
  expect(readdirSync(folder)).not.toContain('planted');
});

it('its expressions name inputs and steps that there are', () => {
  const text = readFileSync(join(ROOT, 'action.yml'), 'utf8');
  const inputs = [...text.matchAll(/inputs\.(\w+)/g)].map(([, name]) => name!);
  expect(inputs.filter((name) => !(name in action.inputs))).toEqual([]);
  // An input within a script would be read as a part of it.
  expect(action.runs.steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  expect(action.runs.steps.filter(({ run, shell }) => run !== undefined && shell !== 'bash')).toEqual([]);
});
