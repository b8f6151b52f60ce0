import { readFileSync, mkdtempSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMAND_JSON, commandJsonSchema, schemaFile } from '../../../src/cli/json/index.ts';
import { loadProgram } from '../../support/documented-commands.ts';
import { at, cli, type CliOptions } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** Theirs is elsewhere: schemas of their own, no answer, or an answer that is not published. */
const ELSEWHERE = [
  // doctor.schema.json and bench-report.schema.json, or no answer
  'doctor',
  'demo',
  'bench run',
  'bench verify',
  'serve',
  'dashboard',
  'help',
  'completion bash',
  'completion zsh',
  'completion fish',
];
const UNPUBLISHED = [
  'dev up',
  'dev down',
  'dev env',
  'dev status',
  'bench check',
  'bench try',
  'bench init',
  'bench import',
  'bench history',
  'bench compare',
];

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
});
afterAll(() => stores[Symbol.asyncDispose]());

const ajv = new Ajv2020({ strict: false });
(formats as unknown as (given: Ajv2020) => void)(ajv);

function problemsOf(command: string, value: unknown): unknown {
  const schema = JSON.parse(readFileSync(new URL(`../../../schemas/${schemaFile(command)}`, import.meta.url), 'utf8')) as object;
  const validate = ajv.compile(schema);
  return validate(value) ? null : validate.errors;
}

test.each(Object.keys(COMMAND_JSON))('the published schema of %s is that of the program', async (command) => {
  const file = `${JSON.stringify(commandJsonSchema(command), null, 2)}\n`;
  await expect(file).toMatchFileSnapshot(`../../../schemas/${schemaFile(command)}`);
});

function leaves(command: Command, path: string[] = []): string[] {
  const inner = command.createHelp().visibleCommands(command);
  return inner.length === 0 ? [path.join(' ')] : inner.flatMap((one) => leaves(one, [...path, one.name()]));
}

test('every command has one', async () => {
  const { root } = await loadProgram();
  const without = leaves(root).filter(
    (name) => !name.endsWith(' help') && !(name in COMMAND_JSON) && ![...ELSEWHERE, ...UNPUBLISHED].includes(name),
  );
  expect(without).toEqual([]);
});

const folder = mkdtempSync('/tmp/json-');
const EVENT: CliOptions = { stdin: 'coupons: [{id: s, name: Edited, total: 12}]' };
const RUNS: [string, string[], CliOptions?][] = [
  ['migrate', ['--dry-run', '--show-sql']],
  ['grants', []],
  ['config show', []],
  ['inspect', []],
  ['seed', ['s', '--name', 'S', '--stock', '10']],
  ['seed', ['s', '--name', 'S', '--stock', '10', '--dry-run']],
  ['submit', ['s', '--users', '8']],
  ['inspect queue', ['s']],
  ['inspect user', ['s', 'user-1']],
  ['drain', ['s', '--until-empty', '--interval', '20ms']],
  ['inspect', []],
  ['inspect coupon', ['s']],
  ['inspect issued', ['s']],
  ['inspect user', ['s', 'user-1']],
  ['inspect user', ['s', 'nobody']],
  ['use', ['s', 'user-1']],
  ['pause', ['s', '--dry-run']],
  ['pause', ['s', '--reason', 'why']],
  ['resume', ['s']],
  ['restock', ['s', '--add', '2']],
  ['extend', ['s', '--closes-at', 'in 2h']],
  ['rename', ['s', '--name', '여름']],
  ['edit', ['--file', '-', '--dry-run'], EVENT],
  ['edit', ['--file', '-', '--confirm'], EVENT],
  ['revoke', ['s', 'user-2', '--reason', 'refunded']],
  ['dead list', ['s']],
  ['dead retry', ['s', 'user-9']],
  ['dead drop', ['s', 'user-9']],
  ['audit', []],
  ['audit', ['--repair', '--dry-run']],
  ['log', []],
  ['top', ['--once', '--interval', '250ms']],
  ['adopt', ['a', '--dry-run']],
  ['adopt', ['a', '--total', '3', '--dry-run']],
  ['adopt', ['a', '--total', '3']],
  ['log', []],
  ['forget', ['user-3', '--dry-run']],
  ['forget', ['user-3', '--confirm']],
  ['close', ['s']],
  ['export', ['s', '--out', `${folder}/s.csv`]],
  ['purge', ['s', '--dry-run']],
  ['purge', ['s', '--confirm=s']],
  ['bench list', []],
];

test('what every command prints with --json is what its schema says', async () => {
  const wrong: unknown[] = [];
  await stores.redis.hset('coupon:a', { name: 'A', stock: 2 });
  await stores.redis.zadd('coupon_waiting_queue:a', Date.now(), 'user-a');
  for (const [command, argv, options] of RUNS) {
    const { stdout, stderr } = await cli([...command.split(' '), ...argv, '--json', ...at(stores)], options);
    const problems = stdout === '' ? stderr : problemsOf(command, JSON.parse(stdout));
    if (problems !== null) wrong.push({ command, argv, problems });
  }
  expect(wrong).toEqual([]);
  // Each schema was put to the test, and one that is planted is found wrong.
  expect(new Set([...RUNS.map(([command]) => command), 'error'])).toEqual(new Set(Object.keys(COMMAND_JSON)));
  expect(problemsOf('use', { couponId: 's' })).not.toBeNull();
});

test.each([
  [['inspect', 'coupon', 'nothing']],
  [['seed', 's']],
  [['no-such-command']],
  [['inspect', '--redis-url', 'redis://127.0.0.1:1']],
])('the error of %j', async (argv) => {
  const { stderr, exitCode } = await cli(['--json', ...at(stores), ...argv]);
  const written = JSON.parse(stderr.trim().split('\n').at(-1)!) as { exitCode: number };
  expect(problemsOf('error', written)).toBeNull();
  expect(written.exitCode).toBe(exitCode);
});
