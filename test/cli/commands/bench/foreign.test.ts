import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { FOREIGN_TABLE, foreignServer, type ForeignVariant } from '../../../support/foreign-server.ts';
import { at, cli, type CliOptions, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

const COUPON = 'summer-2027';
const EXAMPLE = parse(readFileSync('scenarios/foreign-service.example.yaml', 'utf8')) as object;

let stores: TestStores;
beforeAll(async () => {
  // Without our schema: the service has tables of its own.
  stores = await openStores({ migrated: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql(FOREIGN_TABLE);
  await stores.sql('TRUNCATE member_coupon');
});

/** The example that is shipped, less patient, with changes. */
function scenario(changes: object = {}): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'foreign.yaml');
  writeFileSync(path, JSON.stringify({ ...EXAMPLE, settle: { timeout: '20s', quietFor: '250ms' }, ...changes }));
  return path;
}

interface Bench {
  variant?: ForeignVariant;
  scenario?: object;
  flags?: string[];
  urls?: { redisUrl: string; databaseUrl: string };
  cli?: CliOptions;
}

async function benched({
  variant = 'correct',
  scenario: changes = {},
  flags = [],
  urls = stores,
  ...rest
}: Bench = {}): Promise<CliResult> {
  await using server = await foreignServer(stores, COUPON, { variant, total: 100 });
  return await cli([...at(urls), 'bench', scenario(changes), '--url', server.url, '--json', ...flags], rest.cli);
}

/** The report of a run; a command that failed instead says why. */
const reportOf = ({ stdout, stderr, json }: CliResult): BenchReport => {
  if (stdout === '') throw new Error(stderr);
  return json<BenchReport>();
};

/** Checks that did not simply pass, as `name status REASON`. */
const remarks = (report: BenchReport): string[] =>
  report.integrity
    .filter(({ status }) => status === 'fail' || status === 'not_checked')
    .map(({ check, status, reason }) => `${check} ${status} ${reason}`);

const finding = (report: BenchReport, check: string) => report.integrity.find((result) => result.check === check)!;

/** Everybody asks four times, at the same moment. */
const STORM = { users: { count: 120, prefix: '', start: 1, duplicateRate: 3, impatience: 1 }, thresholds: {} };

describe('a correct third-party service', () => {
  test('is proven so in ten runs', async () => {
    for (let run = 0; run < 10; run += 1) {
      await stores.clear();
      await stores.sql('TRUNCATE member_coupon');
      const report = reportOf(await benched({ scenario: run % 2 === 0 ? {} : STORM }));
      expect(remarks(report), `run ${run}`).toEqual([]);
      expect(report).toMatchObject({ outcomes: { accepted: 100, unexpected: 0, unknown: 0 }, exitCode: 0 });
      expect(report.coupons).toMatchObject([{ accepted: 100, issued: 100, stock: 0, waiting: 0 }]);
      expect(report.throughput.timeUntilDrainedMs).toBeGreaterThan(0);
    }
  });
});

describe('a fault is caught and named, with users: exit 4', () => {
  test.each<[ForeignVariant, string, string]>([
    ['three_calls', 'one_per_user', 'ACCEPTED_TWICE'],
    ['three_calls', 'sold_out_when_gone', 'SOLD_OUT_TOO_EARLY'],
    ['newest_first', 'first_come_first_served', 'SERVED_OUT_OF_ORDER'],
    ['pop_then_crash', 'accepted_are_issued', 'ACCEPTED_NOT_ISSUED'],
    ['double_issue', 'one_per_user', 'ISSUED_TWICE_IN_LEDGER'],
    ['issues_to_refused', 'issued_were_accepted', 'ISSUED_TO_REFUSED'],
  ])('%s: %s %s', async (variant, check, reason) => {
    const result = await benched({ variant, scenario: variant === 'three_calls' ? STORM : {} });
    const found = finding(reportOf(result), check);
    expect(found).toMatchObject({ status: 'fail', reason });
    expect(found.sample[0]).toMatch(/^\d+$/);
    expect(found.count).toBeGreaterThan(0);
    expect(result.exitCode).toBe(4);
  });

  test('stock below zero', async () => {
    const report = reportOf(await benched({ variant: 'three_calls', scenario: STORM }));
    expect(report.coupons[0]!.stock).toBeLessThan(0);
    expect(finding(report, 'stock_adds_up')).toMatchObject({ status: 'fail', reason: 'STOCK_DOES_NOT_ADD_UP' });
  });
});

describe('what is not looked at is not called a pass', () => {
  const { redis, sql } = (EXAMPLE as { verify: { redis: object; sql: object } }).verify;

  test('its keys alone: nothing there has request times', async () => {
    const result = await benched({ scenario: { verify: { redis } } });
    expect(remarks(reportOf(result))).toEqual(['first_come_first_served not_checked NO_REQUEST_TIMES']);
    expect(reportOf(result).notes.map(({ code }) => code)).toContain('ISSUED_KEYS_NOT_SCANNED');
    expect(result.exitCode).toBe(5);
  });

  test('its keys alone show who was lost', async () => {
    const report = reportOf(await benched({ variant: 'pop_then_crash', scenario: { verify: { redis } } }));
    expect(finding(report, 'accepted_are_issued')).toMatchObject({ status: 'fail', reason: 'ACCEPTED_NOT_ISSUED', count: 20 });
  });

  test('its table alone: nothing there says what is left; `skip` accepts that', async () => {
    const result = await benched({
      // Without the queue only quiet says that the scheduler is done.
      scenario: { verify: { sql, skip: ['stock_adds_up'] }, settle: { quietFor: '1s' } },
    });
    expect(remarks(reportOf(result))).toEqual(['stock_adds_up not_checked NO_STOCK_EVIDENCE']);
    expect(result.exitCode).toBe(0);
  });

  test('the replies alone', async () => {
    const result = await benched({
      scenario: { verify: { replies: true } },
      urls: { redisUrl: 'redis://127.0.0.1:1', databaseUrl: 'postgres://127.0.0.1:1/x' },
    });
    const report = reportOf(result);
    expect(new Set(report.integrity.map(({ status }) => status))).toEqual(new Set(['not_checked']));
    expect(finding(report, 'issued_within_total').reason).toBe('REPLIES_ONLY');
    expect(result.exitCode).toBe(5);
  });

  test('the replies alone show who was accepted twice', async () => {
    const result = await benched({ variant: 'three_calls', scenario: { ...STORM, verify: { replies: true } } });
    expect(finding(reportOf(result), 'one_per_user')).toMatchObject({ status: 'fail', reason: 'ACCEPTED_TWICE' });
    expect(result.exitCode).toBe(4);
  });

  test('a scheduler that is not done when the time is up: 5, with the numbers', async () => {
    const result = await benched({ variant: 'never_issues', scenario: { settle: { timeout: '300ms', quietFor: '50ms' } } });
    const report = reportOf(result);
    expect(remarks(report)).toContain('accepted_are_issued not_checked NOT_SETTLED');
    expect(remarks(report).filter((remark) => remark.includes('fail'))).toEqual([]);
    expect(report.coupons).toMatchObject([{ accepted: 100, waiting: 100, issued: 0, stock: 0 }]);
    expect(result.exitCode).toBe(5);
  });
});

test('a kept record of it is judged the same again', async () => {
  const out = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'out');
  const { redis } = (EXAMPLE as { verify: { redis: object } }).verify;
  const kept = reportOf(await benched({ variant: 'pop_then_crash', scenario: { verify: { redis } }, flags: ['--out', out] }));
  const again = await cli(['bench', 'verify', join(out, 'record.bin'), '--json']);
  expect(again.exitCode).toBe(4);
  expect(reportOf(again).integrity).toEqual(kept.integrity);
});
