import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { benchRun } from '../../src/bench/run.ts';
import type { BenchOptions, BenchProgress } from '../../src/bench/run.ts';
import { ownEvidence } from '../../src/bench/evidence/own-stores.ts';
import type { BenchStores } from '../../src/bench/ports.ts';
import type { BenchReport } from '../../src/bench/report/report.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { parseScenario } from '../../src/bench/scenario/scenario.ts';
import { AutocannonDriver } from '../../src/bench/load/autocannon-driver.ts';
import { httpProbe } from '../../src/bench/load/probe.ts';
import { deadPort } from './load/faulty-servers.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { issueWaiting } from '../support/issue.ts';
import { openStores } from '../support/stores.ts';
import type { TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

interface RunOptions {
  /** Changes to the scenario document. */
  scenario?: object;
  options?: Partial<BenchOptions>;
  benchStores?: Partial<BenchStores>;
  /** False: nobody issues anything. */
  drain?: boolean;
  /** Called once the load is over and the queue is empty, before the stores are read. */
  tamper?: () => Promise<unknown>;
  onProgress?: (progress: BenchProgress) => void;
}

const COUPON = { id: 'c', total: 30 };

/** A real load on the real endpoint with real stores, drained meanwhile. */
async function run({
  scenario = {},
  options = {},
  benchStores = {},
  drain = true,
  tamper,
  onProgress,
}: RunOptions = {}): Promise<BenchReport> {
  await using endpoint = await openEndpoint(stores);
  const document = {
    version: 1,
    name: 'test',
    coupons: [COUPON],
    users: { count: 120, duplicateRate: 0.5 },
    phases: [{ vus: 8 }],
    settle: { quietFor: '50ms' },
  };
  const parsed = parseScenario(JSON.stringify({ ...document, ...scenario }), 'test.yaml');
  let tampered = false;
  let loadOver = false;
  const over = new AbortController();
  const drained = drain ? drainUntil(over.signal) : Promise.resolve();
  try {
    const { report } = await benchRun(
      {
        driver: new AutocannonDriver(),
        probe: httpProbe,
        evidence: ownEvidence({ redis: stores.reader, ledger: stores.ledger, ownKeyspace: true, ...benchStores }),
        clock: {
          now: () => performance.now(),
          async sleep(ms) {
            await sleep(Math.min(ms, 20));
            if (!tamper || tampered || !loadOver || (await stores.reader.coupon('c'))?.waiting !== 0) return;
            tampered = true;
            await tamper();
          },
        },
      },
      {
        scenario: parsed,
        target: endpoint.url,
        signal: new AbortController().signal,
        ...options,
        onProgress(progress) {
          loadOver ||= progress.step === 'settle';
          onProgress?.(progress);
        },
      },
    );
    return report;
  } finally {
    over.abort();
    await drained;
  }
}

async function drainUntil(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (await stores.ledger.coupon('c')) await issueWaiting(stores, 'c', 10);
    await sleep(5);
  }
}

const failures = (report: BenchReport): string[] =>
  report.integrity
    .filter((result) => result.status === 'fail' || result.status === 'not_checked')
    .map((result) => `${result.check} ${result.status} ${result.reason}`);

/** How busy the machine was is not this test's business. */
const notes = (report: BenchReport): string[] => report.notes.map((note) => note.code).filter((code) => code !== 'GENERATOR_LIMITED');

async function refusal(work: Promise<unknown>): Promise<{ code: string; kind: string }> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CouponError)) throw error;
  return { code: error.code, kind: error.kind };
}

describe('a correct service', () => {
  test('is proven so, and the figures agree', async () => {
    await stores.seed(COUPON);
    const report = await run({
      scenario: { thresholds: { outcome_accepted: 'count==30', 'http_req_duration{outcome:accepted}': 'p(99)<60000' } },
    });
    expect(failures(report)).toEqual([]);
    expect(report).toMatchObject({
      schemaVersion: 1,
      outcomes: { accepted: 30, unexpected: 0, unknown: 0, unsent: 0 },
      coupons: [{ couponId: 'c', total: 30, accepted: 30, issued: 30, stock: 0, waiting: 0 }],
      thresholds: [
        { metric: 'outcome_accepted', expr: 'count==30', actual: 30, ok: true },
        { metric: 'http_req_duration{outcome:accepted}', ok: true },
      ],
      verdict: { integrity: 'pass', thresholds: 'pass' },
      exitCode: 0,
    });
    expect(notes(report)).toEqual([]);
    expect(report.outcomes.sold_out + report.outcomes.duplicate).toBe(150);
    expect(report.timeseries.reduce((sum, point) => sum + point.sent, 0)).toBe(180);
    expect(report.throughput.timeUntilDrainedMs).toBeGreaterThan(0);
    // The ledger says when the last coupon was issued: waiting for quiet afterwards is not counted.
    const [issued] = await stores.sql(`SELECT extract(epoch FROM max(issued_at)) * 1000 AS ms FROM issued_coupons`);
    const since = Number(issued!['ms']) - Date.parse(report.startedAt);
    expect(Math.abs(report.throughput.timeUntilDrainedMs! - since)).toBeLessThanOrEqual(1);
    expect(report.samples[0]).toMatchObject({ couponId: 'c', stock: 30, waiting: 0, claimed: 0, issued: 0 });
    expect(report.samples.at(-1)).toMatchObject({ couponId: 'c', stock: 0, waiting: 0, claimed: 0, issued: 30 });
  });

  test('is proven so when issued hashes can only be looked up', async () => {
    await stores.seed(COUPON);
    const report = await run({ benchStores: { ownKeyspace: false } });
    expect(failures(report)).toEqual([]);
    expect(notes(report)).toEqual(['HASHES_NOT_SCANNED']);
  });

  test('is proven so for two coupons at once', async () => {
    await stores.seed(COUPON);
    await stores.seed({ id: 'd', total: 500 });
    const done = new AbortController();
    const other = (async () => {
      while (!done.signal.aborted) {
        await issueWaiting(stores, 'd', 100);
        await sleep(5);
      }
    })();
    const report = await run({ scenario: { coupons: [COUPON, { id: 'd', total: 500 }] } });
    done.abort();
    await other;
    expect(failures(report)).toEqual([]);
    expect(report.coupons).toMatchObject([{ issued: 30 }, { issued: 120, stock: 380 }]);
    // Nobody could be refused the second one.
    expect(report).toMatchObject({ verdict: { integrity: 'held' }, exitCode: 0 });
  });

  test('fails a threshold: 99', async () => {
    await stores.seed(COUPON);
    const report = await run({ scenario: { thresholds: { outcome_accepted: 'count==31' } } });
    expect(report).toMatchObject({ verdict: { integrity: 'pass', thresholds: 'fail' }, exitCode: 99 });
  });

  test('tells its steps', async () => {
    await stores.seed(COUPON);
    const steps: string[] = [];
    await run({ onProgress: ({ step }) => steps.at(-1) === step || steps.push(step) });
    expect(steps).toEqual(['probe', 'load', 'settle', 'verify']);
  });
});

describe('refused before anything is sent', () => {
  const untouched = async (): Promise<void> => expect((await stores.reader.coupon('c'))?.admitted ?? 0).toBe(0);

  test('a coupon that is in neither store', async () => {
    expect(await refusal(run())).toEqual({ code: 'SCENARIO_COUPON_MISSING', kind: 'usage' });
  });

  test('a coupon that one store has lost', async () => {
    await stores.seed(COUPON);
    await stores.redis.del('coupon:c');
    expect(await refusal(run({ drain: false }))).toEqual({ code: 'SCENARIO_COUPON_MISSING', kind: 'usage' });
  });

  test('a coupon with another total', async () => {
    await stores.seed({ id: 'c', total: 31 });
    expect(await refusal(run())).toEqual({ code: 'SCENARIO_COUPON_DIFFERS', kind: 'usage' });
    await untouched();
  });

  test('a coupon that has been used, unless that is allowed', async () => {
    await stores.seed(COUPON);
    await stores.admission.admit('c', [{ userId: 'real-customer', requestId: 'r' }]);
    expect(await refusal(run())).toEqual({ code: 'COUPON_NOT_FRESH', kind: 'usage' });
    const report = await run({ options: { allowCoupons: ['c'] } });
    expect(failures(report)).toEqual([]);
    expect(report.outcomes.accepted).toBe(29);
    expect(notes(report)).toEqual(['COUPON_NOT_FRESH']);
    expect(report.notes.find(({ code }) => code === 'COUPON_NOT_FRESH')).toMatchObject({ facts: { users: 1 } });
  });

  test('a target where nobody answers', async () => {
    await stores.seed(COUPON);
    expect(await refusal(run({ options: { target: `http://127.0.0.1:${await deadPort()}` } }))).toEqual({
      code: 'BENCH_TARGET_DOWN',
      kind: 'unreachable',
    });
    await untouched();
  });
});

describe('what cannot be verified is inconclusive: 5', () => {
  test('nobody drains', async () => {
    await stores.seed(COUPON);
    const report = await run({ drain: false, scenario: { settle: { timeout: '200ms', quietFor: '50ms' } } });
    expect(report).toMatchObject({ verdict: { integrity: 'inconclusive' }, exitCode: 5 });
    expect(notes(report)).toEqual(['NOT_SETTLED']);
    expect(failures(report)).toEqual(['issued_within_total not_checked NOT_SETTLED', 'accepted_are_issued not_checked NOT_SETTLED']);
  });

  test('unless the scenario says that these checks may stay unmade', async () => {
    await stores.seed(COUPON);
    const report = await run({
      drain: false,
      scenario: { settle: { timeout: '200ms', quietFor: '50ms' }, verify: { skip: ['issued_within_total', 'accepted_are_issued'] } },
    });
    expect(report).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0 });
  });

  test('a store that goes away during the load', async () => {
    await stores.seed(COUPON);
    const down = (): never => {
      throw new CouponError({ code: 'DATABASE_DOWN', kind: 'unreachable', message: 'away', fix: 'Wait.' });
    };
    const report = await run({ benchStores: { ledger: { ...stores.ledger, page: down } } });
    expect(report).toMatchObject({ exitCode: 5, coupons: [{ issued: null, accepted: 30 }] });
    expect(notes(report)).toEqual(['LEDGER_UNREADABLE']);
  });
});

describe('stores that were tampered with are broken: 4', () => {
  const oneUser = async (): Promise<string> =>
    String((await stores.sql('SELECT user_id FROM issued_coupons ORDER BY user_id LIMIT 1'))[0]?.['user_id']);

  test.each<[string, string, () => Promise<unknown>]>([
    [
      'a lost row',
      'accepted_are_issued fail ACCEPTED_WITHOUT_ROW',
      async () => stores.sql('DELETE FROM issued_coupons WHERE user_id = $1', [await oneUser()]),
    ],
    [
      'a lost hash',
      'accepted_are_issued fail ACCEPTED_WITHOUT_HASH',
      async () => stores.redis.del(`issued_coupon:coupon:c-user:${await oneUser()}`),
    ],
    [
      'a hash for a stranger',
      'issued_were_accepted fail ISSUED_TO_STRANGER',
      () => stores.redis.hset('issued_coupon:coupon:c-user:intruder', { userId: 'intruder', couponId: 'c' }),
    ],
    ['stock that somebody added', 'stock_adds_up fail STOCK_DOES_NOT_ADD_UP', () => stores.redis.hincrby('coupon:c', 'stock', 5)],
    [
      'a user who was moved to the front',
      'first_come_first_served fail OVERTAKEN',
      () =>
        stores.sql(
          'UPDATE issued_coupons SET requested_us = 1 WHERE user_id = (SELECT user_id FROM issued_coupons ORDER BY requested_us DESC LIMIT 1)',
        ),
    ],
  ])('%s: %s', async (_, finding, tamper) => {
    await stores.seed(COUPON);
    const report = await run({ tamper });
    expect(failures(report)).toContain(finding);
    expect(report).toMatchObject({ verdict: { integrity: 'fail' }, exitCode: 4 });
  });
});

/** The endpoint as three separate calls, on the same Redis: EXISTS, HINCRBY, ZADD NX. */
async function threeCallsServer(): Promise<{ url: string } & AsyncDisposable> {
  const { redis } = stores;
  const answer = async (userId: string): Promise<number> => {
    if (await redis.exists(`issued_coupon:coupon:c-user:${userId}`)) return 409;
    if ((await redis.hincrby('coupon:c', 'stock', -1)) < 0) return 410;
    return (await redis.zadd('coupon_waiting_queue:c', 'NX', Date.now() * 1_000, userId)) === 1 ? 202 : 409;
  };
  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (body === '') reply.writeHead(200, { 'content-length': 0 }).end();
      else
        void answer((JSON.parse(body) as { userId: string }).userId).then((status) =>
          reply.writeHead(status, { 'content-length': 0 }).end(),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('three separate calls on a real Redis leak stock and drive it below zero: both are named', async () => {
  await stores.seed(COUPON);
  await using server = await threeCallsServer();
  // Nobody is issued during the rush, so a user who asks again is not known yet.
  const done = new AbortController();
  const drains: Promise<void>[] = [];
  const report = await run({
    drain: false,
    options: { target: server.url },
    scenario: { users: { count: 120, duplicateRate: 0.5, impatience: 1 } },
    onProgress: ({ step }) => {
      if (step === 'settle' && drains.length === 0) drains.push(drainUntil(done.signal));
    },
  });
  done.abort();
  await Promise.all(drains);
  expect(failures(report)).toEqual(['sold_out_when_gone fail SOLD_OUT_TOO_EARLY', 'stock_adds_up fail STOCK_DOES_NOT_ADD_UP']);
  expect(report.integrity.find(({ check }) => check === 'sold_out_when_gone')?.sample[0]).toMatch(/^user-\d+$/);
  expect(report).toMatchObject({ exitCode: 4 });
  expect(report.coupons[0]!.stock).toBeLessThan(0);
  expect(report.coupons[0]!.issued).toBeLessThan(30);
});

test('an interrupt stops the load; what was sent is verified: 130', async () => {
  await stores.seed(COUPON);
  const stop = new AbortController();
  const report = await run({
    scenario: { users: { count: 20_000 } },
    options: { signal: stop.signal },
    onProgress: ({ step }) => {
      if (step === 'load') stop.abort('SIGINT');
    },
  });
  expect(failures(report)).toEqual([]);
  expect(report.exitCode).toBe(130);
  expect(report.verdict.integrity).not.toBe('fail');
  expect(report.outcomes.unsent).toBeGreaterThan(0);
  expect(report.notes[0]?.code).toBe('INTERRUPTED');
});
