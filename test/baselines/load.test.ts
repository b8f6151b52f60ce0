import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BenchReport } from '../../src/bench/report/report.ts';
import type { CheckName } from '../../src/bench/checks/integrity.ts';
import type { Strategy } from '../../src/campaign/strategy.ts';
import { admissionBy } from '../support/baselines.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { issueWaiting } from '../support/issue.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const TOTAL = 30;

/** 120 users for 30 coupons, half of them asking again at once. The drain starts when all is gone: until then all accepted users wait. */
async function rush(strategy: Strategy): Promise<{ exitCode: number; report: BenchReport }> {
  await stores.clear();
  await stores.seed({ id: 'c', total: TOTAL });
  const { admission, flushed } = admissionBy(strategy, stores);
  await using endpoint = await openEndpoint(stores, { admission }, { plain: strategy !== 'atomic' });
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'rush.yaml');
  const scenario = {
    version: 1,
    name: 'rush',
    coupons: [{ id: 'c', total: TOTAL }],
    users: { count: 120, duplicateRate: 0.5, impatience: 1 },
    phases: [{ vus: 8 }],
    settle: { quietFor: '100ms' },
  };
  writeFileSync(file, JSON.stringify(scenario));
  const over = new AbortController();
  const drained = (async () => {
    for (let gone = false; !over.signal.aborted; await sleep(5)) {
      gone ||= Number(await stores.redis.hget('coupon:c', 'stock')) <= 0;
      if (gone) await issueWaiting(stores, 'c', 10);
    }
  })();
  const result = await cli([...at(stores), 'bench', file, '--url', endpoint.url, '--json']);
  over.abort();
  await drained;
  await flushed();
  return { exitCode: result.exitCode, report: result.json<BenchReport>() };
}

const finding = ({ integrity }: BenchReport, name: CheckName) => integrity.find(({ check }) => check === name)!;

test('three calls under load: leaked, accepted twice, below zero, and users are named', async () => {
  const { exitCode, report } = await rush('three-calls');
  expect(exitCode).toBe(4);
  expect(report.coupons[0]!.issued).toBeLessThan(TOTAL);
  expect(report.coupons[0]!.stock).toBeLessThan(0);
  expect(finding(report, 'one_per_user')).toMatchObject({ status: 'fail', reason: 'ACCEPTED_TWICE' });
  for (const check of ['one_per_user', 'sold_out_when_gone'] as const) {
    expect(finding(report, check).status).toBe('fail');
    expect(finding(report, check).sample[0]).toMatch(/^user-\d+$/);
  }
  expect(finding(report, 'stock_adds_up')).toMatchObject({ status: 'fail', reason: 'STOCK_DOES_NOT_ADD_UP' });
});

test.each(['rdb-lock', 'atomic'] as const)('%s under the same load is proven', async (strategy) => {
  const { exitCode, report } = await rush(strategy);
  expect(report.integrity.filter(({ status }) => status === 'fail' || status === 'not_checked')).toEqual([]);
  expect(exitCode).toBe(0);
  expect(report.outcomes).toMatchObject({ accepted: TOTAL, unexpected: 0, unknown: 0 });
  expect(report.coupons[0]!.issued).toBe(TOTAL);
});
