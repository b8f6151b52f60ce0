import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { benchReportSchema } from '../../../../src/bench/report/schema.ts';
import { CHECKS } from '../../../../src/bench/checks/integrity.ts';
import { OUTCOMES } from '../../../../src/campaign/outcome.ts';
import { openEndpoint } from '../../../support/endpoint.ts';
import { issueWaiting } from '../../../support/issue.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

function scenarioFile(changes: object = {}): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'mine.yaml');
  const document = {
    version: 1,
    name: 'mine',
    coupons: [{ id: 'mine', total: 20 }],
    users: { count: 60, duplicateRate: 0.5 },
    phases: [{ vus: 5 }],
    settle: { quietFor: '50ms' },
  };
  writeFileSync(path, JSON.stringify({ ...document, ...changes }));
  return path;
}

/** `bench SCENARIO` against the real endpoint, drained meanwhile. */
async function benched(argv: string[], couponIds = ['mine']) {
  await stores.clear();
  for (const id of couponIds) await stores.seed({ id, total: 20 });
  await using endpoint = await openEndpoint(stores);
  const over = new AbortController();
  const drained = (async () => {
    while (!over.signal.aborted) {
      for (const id of couponIds) await issueWaiting(stores, id);
      await sleep(5);
    }
  })();
  const result = await cli([...at(stores), ...argv, '--url', endpoint.url]);
  over.abort();
  await drained;
  return result;
}

describe('bench list', () => {
  test('names the scenarios that come with the program', async () => {
    const result = await cli(['bench', 'list', '--json']);
    expect(result.exitCode).toBe(0);
    const { scenarios } = result.json<{ scenarios: { name: string; users: number; coupons: number }[] }>();
    expect(scenarios.map(({ name }) => name)).toEqual(expect.arrayContaining(['flash-sale', 'smoke']));
    expect(scenarios.filter(({ name }) => name.includes('example'))).toEqual([]);
    expect(result.stderr).toContain('foreign-service.example.yaml');
    expect(scenarios.find(({ name }) => name === 'flash-sale')).toMatchObject({ users: 10_000, coupons: 1_000 });
  });
});

describe('refused with exit 2, before a store is touched', () => {
  test.each([
    ['a scenario that is neither file nor name', ['bench', 'flash-sael'], 'SCENARIO_UNKNOWN', 'did you mean "flash-sale"?'],
    ['a mistyped subcommand', ['bench', 'lits'], 'SCENARIO_UNKNOWN', 'did you mean "list"?'],
    ['no scenario at all', ['bench', 'run'], 'USAGE', 'scenario'],
    ['no target', ['bench', 'smoke'], 'BENCH_TARGET_MISSING', '--stack'],
    ['two targets', ['bench', 'smoke', '--stack', '--url', 'http://127.0.0.1:1'], 'BENCH_USAGE', '--url'],
    ['a strategy for a server of yours', ['bench', 'smoke', '--strategy', 'all'], 'BENCH_USAGE', 'serve --strategy'],
    [
      'a strategy that there is not',
      ['bench', 'smoke', '--stack', '--strategy', 'atomic,lock'],
      'BAD_STRATEGY',
      '"lock" is not a strategy',
    ],
    ['a game day on a server of yours', ['bench', 'game-day', '--url', 'http://127.0.0.1:1'], 'TIMELINE_NEEDS_STACK', '--stack'],
    ['a target elsewhere', ['bench', 'smoke', '--url', 'http://shop.example'], 'TARGET_REFUSED', '--allow-target shop.example'],
    ['a target that is no address', ['bench', 'smoke', '--url', 'shop'], 'BAD_TARGET', 'http://'],
    ['a file with mistakes', ['bench', scenarioFile({ usres: 1 })], 'BAD_SCENARIO', 'did you mean "users"?'],
  ])('%s', async (_, argv, code, text) => {
    const result = await cli(argv);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain(text);
  });
});

describe('bench against an endpoint', () => {
  test('--json is one document with the fields that other programs read', async () => {
    const result = await benched(['bench', scenarioFile({ thresholds: { outcome_accepted: 'count==20' } }), '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    const report = result.json<BenchReport & Record<string, unknown>>();
    expect(Object.keys(report).toSorted()).toEqual(
      [
        'coupons',
        'environment',
        'exitCode',
        'flow',
        'generator',
        'histograms',
        'integrity',
        'latency',
        'latencyFromPlanned',
        'notes',
        'outcomes',
        'requests',
        'samples',
        'scenario',
        'schemaVersion',
        'startedAt',
        'stepSeconds',
        'thresholds',
        'throughput',
        'timeseries',
        'verdict',
      ].toSorted(),
    );
    expect(Object.keys(report.outcomes)).toEqual([...OUTCOMES]);
    expect(Object.keys(report.latency['accepted']!)).toEqual(['p50', 'p90', 'p99', 'p999', 'max']);
    expect(report.integrity.map(({ check, status }) => [check, status])).toEqual(CHECKS.map((check) => [check, 'pass']));
    expect(Object.keys(report.integrity[0]!)).toEqual(['check', 'couponId', 'status', 'reason', 'count', 'sample', 'facts']);
    expect(report.thresholds).toEqual([{ metric: 'outcome_accepted', expr: 'count==20', actual: 20, ok: true }]);
    expect(report.verdict).toEqual({ integrity: 'pass', thresholds: 'pass' });
  });

  test('text says first what must hold, then the figures', async () => {
    const { stdout, exitCode } = await benched(['bench', scenarioFile()]);
    expect(exitCode).toBe(0);
    const order = ['INTEGRITY', 'OUTCOMES', 'THROUGHPUT', 'GENERATOR', 'VERDICT'].map((title) => stdout.indexOf(title));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    expect(stdout).toContain('✔ never more issued than there are');
    expect(stdout).toMatch(/accepted +20 +22\.2 %/);
    expect(stdout).toContain('integrity proven');
  });

  test('several scenarios run one after another; the worst of them is the exit code', async () => {
    const other = scenarioFile({ coupons: [{ id: 'other', total: 20 }], thresholds: { outcome_accepted: 'count==1' } });
    const result = await benched(['bench', 'run', other, scenarioFile(), '--json'], ['mine', 'other']);
    expect(result.exitCode).toBe(99);
    expect(result.json()).toMatchObject({ schemaVersion: 1, exitCode: 99, reports: [{ exitCode: 99 }, { exitCode: 0 }] });
  });

  test('--out leaves reports of each scenario in a folder of its own, as the published schema has them', async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'deep', 'out');
    const other = scenarioFile({ name: 'other', coupons: [{ id: 'other', total: 20 }], thresholds: { outcome_accepted: 'count==1' } });
    const result = await benched(['bench', other, scenarioFile(), '--out', out], ['mine', 'other']);
    expect(result.exitCode).toBe(99);
    expect(readdirSync(out).toSorted()).toEqual(['mine', 'other']);
    for (const name of ['mine', 'other']) {
      const report: unknown = JSON.parse(readFileSync(join(out, name, 'report.json'), 'utf8'));
      expect(benchReportSchema.parse(report)).toEqual(report);
      expect(result.stderr).toContain(`Reports: ${join(out, name)}`);
    }
    expect((await cli(['bench', 'verify', join(out, 'other'), '--json'])).json()).toEqual(
      JSON.parse(readFileSync(join(out, 'other', 'report.json'), 'utf8')),
    );
    expect((await cli(['bench', 'compare', join(out, 'mine'), join(out, 'other')])).exitCode).toBe(0);
  });

  test('from two processes the load is proven all the same', async () => {
    const result = await benched(['bench', scenarioFile(), '--processes', '2', '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    const report = result.json<BenchReport>();
    expect(report).toMatchObject({ outcomes: { accepted: 20, unknown: 0, unsent: 0 }, generator: { vus: 5 } });
    expect(report.integrity.map(({ status }) => status)).toEqual(CHECKS.map(() => 'pass'));
  });

  test('more processes than virtual users are refused', async () => {
    const result = await benched(['bench', scenarioFile(), '--processes', '6']);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[BENCH_PROCESSES]') });
  });

  test('a used coupon is refused, and --allow-coupon takes what is left', async () => {
    const path = scenarioFile();
    expect((await benched(['bench', path])).exitCode).toBe(0);
    await using endpoint = await openEndpoint(stores);
    const refused = await cli([...at(stores), 'bench', path, '--url', endpoint.url]);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[COUPON_NOT_FRESH]') });
    const allowed = await cli([...at(stores), 'bench', path, '--url', endpoint.url, '--allow-coupon', 'mine', '--json']);
    expect(allowed.json<BenchReport>()).toMatchObject({ outcomes: { accepted: 0 }, verdict: { integrity: 'held' }, exitCode: 0 });
  });
});
