import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditReport } from '../../../src/audit/audit.ts';
import type { CouponList } from '../../../src/operate/inspect/coupons.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const NO_TIMES = [
  '+inf',
  '-inf',
  '1e300',
  '-1e300',
  '0',
  '-1',
  '1',
  '430000000000000',
  '4.2e9',
  '4102444800000',
  '9e15',
  '9e18',
  '978307199',
];
const UNITS: [string, (us: number) => string][] = [
  ['seconds', (us) => String(Math.floor(us / 1e6))],
  ['milliseconds', (us) => String(Math.floor(us / 1e3))],
  ['microseconds', String],
  ['nanoseconds', (us) => `${us}000`],
];

describe('scores of other services', () => {
  let stores: TestStores;
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    stores = await openStores({ durable: false });
    endpoint = await openEndpoint(stores);
  });
  afterAll(async () => {
    await endpoint[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '3', total: 50 });
  });

  const run = async (...argv: string[]): Promise<CliResult> => cli([...argv, ...at(stores)]);
  const queue = async (userId: string, score: string) => {
    await stores.redis.zadd('coupon_waiting_queue:3', score, userId);
    await stores.redis.hincrby('coupon:3', 'stock', -1);
  };
  /** Of a process of its own: one looks at the stores once a second, and a test is shorter than that. */
  const metric = async (name: string): Promise<number> => {
    await using fresh = await openEndpoint(stores);
    const { text } = await fresh.get('/metrics');
    return Number(new RegExp(`^${name}\\{coupon="3"\\} (.*)$`, 'm').exec(text)![1]);
  };
  const requestedAt = async (userId: string) =>
    (await stores.sql('SELECT requested_at FROM issued_coupons WHERE user_id = $1', [userId]))[0]!['requested_at'] as Date;

  test.each(NO_TIMES)('%s is no time: every route answers without a date, and the user is issued as asking at the claim', async (score) => {
    const before = Date.now() - 60_000;
    await queue('kim', score);
    expect(await endpoint.ask('3', 'kim')).toMatchObject({ status: 409, body: { state: 'waiting' } });
    expect(await endpoint.get('/coupons/3/requests/kim')).toMatchObject({ status: 200, body: { state: 'waiting', requestedAt: null } });
    const age = await metric('coupon_queue_oldest_age_seconds');
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThan(3_600);
    expect(await metric('coupon_queue_unreadable_times')).toBe(1);
    expect((await run('inspect', '--json')).json<CouponList>().coupons).toMatchObject([{ oldestWaitingMs: null, timeless: 1, future: 0 }]);
    expect((await run('inspect')).stderr).toContain('1 waiting with a score that is no time');
    expect((await run('inspect', 'queue', '3')).stdout).toMatch(/kim\s+no time\s+\?/);
    expect((await run('inspect', 'user', '3', 'kim')).exitCode).toBe(0);
    const report = (await run('audit', '--json')).json<AuditReport>();
    expect(report).toMatchObject({ ok: true, notes: [{ code: 'score_no_time', couponId: '3', count: 1, sample: ['kim'] }] });

    const drained = await run('drain', '--until-empty');
    expect(drained.stderr).toContain('the score of the queue entry is no time');
    expect(drained.stdout + drained.stderr).not.toContain('NaN');
    expect((await requestedAt('kim')).getTime()).toBeGreaterThan(before);
    expect((await requestedAt('kim')).getTime()).toBeLessThan(Date.now() + 60_000);
    expect((await endpoint.ask('3', 'kim')).status).toBe(409);
    expect((await endpoint.get('/coupons/3/requests/kim')).body).toMatchObject({
      state: 'issued',
      requestedAt: expect.stringMatching(/^20/),
    });
    expect((await run('audit')).exitCode).toBe(0);
  });

  test.each(NO_TIMES)('%s over the score of an accepted user leaves the time of the acceptance', async (score) => {
    const accepted = await endpoint.ask('3', 'kim');
    await stores.redis.zadd('coupon_waiting_queue:3', score, 'kim');
    await run('drain', '--until-empty');
    expect((await requestedAt('kim')).toISOString()).toBe(accepted.body['requestedAt']);
    expect((await run('audit')).exitCode).toBe(0);
  });

  test.each(UNITS)('%s are read right everywhere', async (_name, written) => {
    const us = Math.floor((Date.now() - 3_600_000) / 1_000) * 1_000_000;
    await queue('kim', written(us));
    const time = new Date(us / 1_000).toISOString();
    expect((await endpoint.ask('3', 'kim')).body).toMatchObject({ requestedAt: time });
    expect((await endpoint.get('/coupons/3/requests/kim')).body).toMatchObject({ requestedAt: time });
    expect(Math.abs((await metric('coupon_queue_oldest_age_seconds')) - 3_600)).toBeLessThan(60);
    expect((await run('inspect', 'queue', '3')).stdout).toContain(time);
    await run('drain', '--until-empty');
    expect((await requestedAt('kim')).toISOString()).toBe(time);
    expect((await run('audit')).exitCode).toBe(0);
  });

  test('of several units in one queue are issued oldest first, by time', async () => {
    const start = Math.floor(Date.now() / 1_000) * 1_000_000 - 3_600_000_000;
    const users = Array.from({ length: 20 }, (_, i) => `u${String(i).padStart(2, '0')}`);
    for (const [i, userId] of users.entries()) await queue(userId, UNITS[(i * 7) % 4]![1](start + i * 1_000_000));
    for (let taken = 4; taken <= 20; taken += 4) {
      await run('drain', '--once', '--batch', '4');
      const issued = (await stores.sql('SELECT user_id FROM issued_coupons ORDER BY user_id')).map((row) => row['user_id']);
      expect(issued).toEqual(users.slice(0, taken));
    }
    expect((await run('audit')).exitCode).toBe(0);
  });

  test('that are no time wait behind those that are, and are served all the same', async () => {
    const now = Date.now();
    await queue('zero', '0');
    await queue('minus', '-1');
    await queue('first', String(now - 2_000));
    await queue('second', String(Math.floor(now / 1_000) - 1));
    await run('drain', '--once', '--batch', '2');
    expect((await stores.sql('SELECT user_id FROM issued_coupons ORDER BY requested_us')).map((row) => row['user_id'])).toEqual([
      'first',
      'second',
    ]);
    await run('drain', '--until-empty');
    expect(await stores.sql('SELECT count(*)::int AS n FROM issued_coupons')).toEqual([{ n: 4 }]);
  });

  test('in the future are said, and do not make a queue look fresh', async () => {
    await queue('kim', String(Math.floor(Date.now() / 1_000) + 9 * 3_600));
    expect(await metric('coupon_queue_oldest_age_seconds')).toBeGreaterThan(0);
    expect(await metric('coupon_queue_unreadable_times')).toBe(1);
    expect((await run('inspect')).stderr).toContain('1 waiting with a request time in the future');
    expect((await run('inspect', '--json')).json<CouponList>().coupons).toMatchObject([{ oldestWaitingMs: null, future: 1 }]);
    expect((await run('audit', '--json')).json<AuditReport>().notes).toMatchObject([{ code: 'score_in_future', sample: ['kim'] }]);
    expect((await endpoint.ask('3', 'kim')).status).toBe(409);
    await run('drain', '--until-empty');
    expect((await run('audit')).exitCode).toBe(0);
  });
});
