import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMAND_JSON, commandJsonSchema, schemaFile } from '../../../src/cli/json/index.ts';
import { benchReport } from '../../support/bench-report.ts';
import { openEndpoint } from '../../support/endpoint.ts';
import { loadProgram } from '../../support/documented-commands.ts';
import { at, cli, type CliOptions } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** Theirs is elsewhere: schemas of their own, or no answer. */
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
  const without = leaves(root).filter((name) => !name.endsWith(' help') && !(name in COMMAND_JSON) && !ELSEWHERE.includes(name));
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
  ['bench check', ['flash-sale', 'smoke']],
  ['bench init', []],
  ['bench init', ['--out', `${folder}/made.yaml`]],
  ['bench history', [folder]],
  ['bench compare', [`${folder}/before`, `${folder}/after`, '--fail-on', 'p(99)>+10%']],
  // A stack of its own, in a folder that no other test knows.
  ['dev status', [], { packageDir: folder }],
  ['dev up', [], { packageDir: folder }],
  ['dev env', [], { packageDir: folder }],
  ['dev status', [], { packageDir: folder }],
  ['dev down', ['--all', '--purge', '--confirm'], { packageDir: folder }],
  ['dev down', [], { packageDir: folder }],
];

test('what every command prints with --json is what its schema says', async () => {
  const wrong: unknown[] = [];
  await stores.redis.hset('coupon:a', { name: 'A', stock: 2 });
  await stores.redis.zadd('coupon_waiting_queue:a', Date.now(), 'user-a');
  for (const [name, slowness] of [
    ['before', 1],
    ['after', 2],
  ] as const) {
    mkdirSync(`${folder}/${name}`);
    writeFileSync(`${folder}/${name}/report.json`, JSON.stringify(benchReport({ slowness })));
  }
  for (const [command, argv, options] of RUNS) {
    const { stdout, stderr } = await cli([...command.split(' '), ...argv, '--json', ...at(stores)], options);
    const problems = stdout === '' ? stderr : problemsOf(command, JSON.parse(stdout));
    if (problems !== null) wrong.push({ command, argv, problems });
  }
  expect(wrong).toEqual([]);
  // Each schema was put to the test, and one that is planted is found wrong.
  expect(new Set([...RUNS.map(([command]) => command), 'bench try', 'error'])).toEqual(new Set(Object.keys(COMMAND_JSON)));
  expect(problemsOf('use', { couponId: 's' })).not.toBeNull();
});

test('an audit with findings, and a repair', async () => {
  await stores.seed({ id: 'broken', total: 5 });
  await stores.admission.admit('broken', [{ userId: 'kim', requestId: 'r' }]);
  await stores.redis.hset('coupon:broken', 'stock', 5);
  await stores.redis.del('coupon_waiting_queue:broken');
  const reports: { findings?: unknown[] }[] = [];
  for (const argv of [[], ['--repair', '--dry-run'], ['--repair'], []]) {
    const { stdout } = await cli(['audit', 'broken', ...argv, '--json', ...at(stores)]);
    reports.push(JSON.parse(stdout) as (typeof reports)[number]);
  }
  expect(reports.map((report) => problemsOf('audit', report))).toEqual([null, null, null, null]);
  expect(reports[0]!.findings!.length).toBeGreaterThan(0);
});

test('one user who tries a scenario', async () => {
  await using endpoint = await openEndpoint(stores);
  await stores.seed({ id: 'smoke', total: 5 });
  const { stdout, exitCode } = await cli(['bench', 'try', 'smoke', '--url', endpoint.url, '--coupon', 'smoke', '--json']);
  expect(exitCode).toBe(0);
  expect(problemsOf('bench try', JSON.parse(stdout))).toBeNull();
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
