import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { openEndpoint } from '../../../support/endpoint.ts';
import { issueWaiting } from '../../../support/issue.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const BASE = {
  version: 1,
  name: 'mine',
  coupons: [{ id: 'mine', total: 20 }],
  users: { count: 200 },
  phases: [{ executor: 'constant-arrival-rate', rate: 400, duration: '500ms', maxVUs: 20 }],
  settle: { quietFor: '50ms' },
};

/** `bench` of a scenario in a folder with other files, on the real endpoint, drained meanwhile. */
async function benched(changes: object, files: Record<string, string> = {}) {
  await stores.clear();
  await stores.seed({ id: 'mine', total: 20 });
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(folder, 'mine.yaml'), JSON.stringify({ ...BASE, ...changes }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  await using endpoint = await openEndpoint(stores);
  const over = new AbortController();
  const drained = (async () => {
    while (!over.signal.aborted) {
      await issueWaiting(stores, 'mine');
      await sleep(5);
    }
  })();
  const result = await cli([...at(stores), 'bench', join(folder, 'mine.yaml'), '--url', endpoint.url, '--json']);
  over.abort();
  await drained;
  return result;
}

describe('bench on the real endpoint', () => {
  test('an open model is proven like any other load, and its latencies count from when requests were due', async () => {
    const result = await benched({ thresholds: { http_req_duration_planned: 'p(99)<60000', dropped_iterations: 'count==0' } });
    const report = result.json<BenchReport>();
    expect(result.exitCode).toBe(0);
    expect(report.outcomes).toMatchObject({ accepted: 20, sold_out: 180, unsent: 0 });
    expect(report.latencyFromPlanned.accepted!.max).toBeGreaterThanOrEqual(report.latency.accepted!.max);
    expect(report.generator.startLagMs).not.toBeNull();
  });

  test('users from a file beside the scenario ask under their own names', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `someone@${index}.example`);
    const result = await benched(
      { users: { file: 'people.csv', userId: 'mail' }, phases: [{ vus: 5 }] },
      { 'people.csv': `mail,note\n${names.map((name) => `${name},"x, y"`).join('\n')}\n` },
    );
    expect(result.exitCode).toBe(0);
    expect(result.json<BenchReport>().scenario).toMatchObject({ users: 30, requests: 30 });
    const rows = await stores.ledger.page('mine', '', 100);
    expect(rows).toHaveLength(20);
    for (const { userId } of rows) expect(names).toContain(userId);
  });

  test('a threshold that ends the load is exit code 99, and what was sent is proven all the same', async () => {
    const users = { count: 24_000 };
    const phases = [{ name: 'long', executor: 'constant-arrival-rate', rate: 400, duration: '1m', maxVUs: 20 }];
    const thresholds = { outcome_sold_out: { threshold: 'count<50', abortOnFail: true } };
    const result = await benched({ users, phases, thresholds });
    const report = result.json<BenchReport>();
    expect(result.exitCode).toBe(99);
    expect(report.verdict).toEqual({ integrity: 'held', thresholds: 'fail' });
    expect(report.notes).toContainEqual({
      code: 'ABORTED_BY_THRESHOLD',
      facts: expect.objectContaining({ metric: 'outcome_sold_out', expr: 'count<50', phase: 'long', askedPerSecond: 400 }),
    });
    expect(report.scenario.requests).toBeLessThan(24_000);
    expect(report.outcomes.unsent).toBe(0);
  });

  test('a file of users that is not there is exit code 2, with its place in the scenario', async () => {
    const result = await benched({ users: { file: 'nobody.csv', userId: 'id' } });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('nobody.csv cannot be read (ENOENT)');
  });
});
