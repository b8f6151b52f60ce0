import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { drainPass } from '../../src/drain/pass.ts';
import type { DrainOptions, DrainPorts } from '../../src/drain/ports.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { drainMetrics } from '../../src/drain/metrics.ts';
import { redisClaims } from '../../src/stores/redis/claims.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const OPTIONS: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };
const running = new AbortController().signal;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: '42' });
});

const admit = (...userIds: string[]) =>
  stores.admission.admit(
    '42',
    userIds.map((userId) => ({ userId, requestId: 'r' })),
  );

/** Passes with metrics, and what the metrics came to. */
function counting(change: Partial<DrainPorts> = {}) {
  const registry = new Registry();
  const metrics = drainMetrics(registry);
  const ports = metrics.measured({ claims: stores.claims, coupons: stores.coupons, ledger: stores.ledger, ...change });
  return {
    pass: async () => metrics.passed(await drainPass(ports, OPTIONS, running)),
    value: async (line: string) => Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(await registry.metrics())?.[1]),
  };
}
const batches = (phase: string) => `coupon_drain_batch_seconds_count{phase="${phase}"}`;

test('every batch is timed step by step; a look at an empty queue is none', async () => {
  const { pass, value } = counting();
  await admit('a', 'b');
  await pass();
  await pass();
  for (const phase of ['claim', 'ledger', 'ack']) expect(await value(batches(phase)), phase).toBe(1);
  expect(await value('coupon_drain_passes_total')).toBe(2);
});

test('whoever is taken back from a dead worker is counted, and so is whoever can never be issued', async () => {
  const { pass, value } = counting();
  await admit('a');
  const { epoch } = (await stores.ledger.coupon('42'))!;
  await stores.claims.claim('42', { epoch, limit: 1, leaseMs: 30_000, worker: 'dead' });
  await stores.redis.zadd('coupon_leases:42', 1, 'a');
  await stores.redis.zadd('coupon_waiting_queue:42', 1, 'no{body}');
  await pass();
  expect(await value('coupon_reclaims_total')).toBe(1);
  expect(await value('coupon_drain_dead_total')).toBe(1);
});

test('a batch whose ledger failed was timed all the same', async () => {
  const down = new CouponError({ code: 'DATABASE_DOWN', kind: 'unreachable', message: 'down', fix: 'Wait.' });
  const { pass, value } = counting({ ledger: { ...stores.ledger, issue: () => Promise.reject(down) } });
  await admit('a');
  await expect(pass()).rejects.toBe(down);
  expect([await value(batches('ledger')), await value('coupon_drain_passes_total')]).toEqual([1, 0]);
});

test('a claim whose answer was lost is ambiguous; one that could not be sent is not', async () => {
  await using proxy = await openProxy(stores.redisUrl);
  const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
  const { pass, value } = counting({ claims: redisClaims(connection, 'plain') });
  await admit('a');
  proxy.holdReplies();
  const lost = expect.soft(pass()).rejects.toMatchObject({ code: 'REDIS_REPLY_LOST', kind: 'unreachable' });
  await until(async () => (await stores.redis.zcard('coupon_leases:42')) === 1);
  await proxy.cut();
  await lost;
  await expect(pass()).rejects.toMatchObject({ code: 'REDIS_DOWN' });
  expect(await value('coupon_ambiguous_total{op="claim"}')).toBe(1);
  connection.close();
});
