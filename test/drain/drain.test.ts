import { until } from '../support/until.ts';
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyPass, type CouponPass } from '../../src/drain/coupon-pass.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { HOLD_MS } from '../../src/drain/lanes.ts';
import { drainPass } from '../../src/drain/pass.ts';
import { drainLoop, type LoopOptions } from '../../src/drain/loop.ts';
import type { ClaimQueue, DrainOptions } from '../../src/drain/ports.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const OPTIONS: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };
const LOOP: LoopOptions = { ...OPTIONS, intervalMs: 0, eager: true, until: 'empty', patienceMs: 0 };
const running = new AbortController().signal;
const silent = { pass: () => undefined, outage: () => undefined, recovered: () => undefined };
const clock = { now: () => performance.now(), sleep: () => Promise.resolve() };

describe('drain', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const ports = (change: { claims?: Partial<ClaimQueue>; ledger?: Partial<Ledger> } = {}) => ({
    claims: { ...stores.claims, ...change.claims },
    coupons: stores.coupons,
    ledger: { ...stores.ledger, ...change.ledger },
  });
  const admit = (id: string, count: number, prefix = 'user-') =>
    stores.admission.admit(
      id,
      Array.from({ length: count }, (_, i) => ({ userId: `${prefix}${i + 1}`, requestId: 'r' })),
    );
  const issuedUsers = async (id: string) =>
    (await stores.sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1 ORDER BY requested_us', [id])).map((row) => row['user_id']);

  it('issues exactly the earliest of a batch', async () => {
    await stores.seed({ id: '42', total: 300 });
    await admit('42', 250);
    const [pass] = await drainPass(ports(), OPTIONS, running);
    expect(pass).toMatchObject({ couponId: '42', issued: 100, waiting: 150 });
    expect(await issuedUsers('42')).toEqual(Array.from({ length: 100 }, (_, i) => `user-${i + 1}`));
    expect(await stores.redis.exists('issued_coupon:coupon:42-user:user-100', 'issued_coupon:coupon:42-user:user-101')).toBe(1);
  });

  it('serves coupons in turn, so that a long queue does not starve a short one', async () => {
    await stores.seed({ id: 'long', total: 1_000 });
    await stores.seed({ id: 'short', total: 10 });
    await admit('long', 900);
    await admit('short', 5);
    const passes = await drainPass(ports(), OPTIONS, running);
    expect(passes.map((pass) => [pass.couponId, pass.issued])).toEqual([
      ['long', 100],
      ['short', 5],
    ]);
  });

  it('by several workers at once issues everyone once', async () => {
    await stores.seed({ id: '42', total: 3_000 });
    await admit('42', 3_000);
    const totals = await Promise.all(['a', 'b', 'c'].map((worker) => drainLoop(ports(), { ...LOOP, worker }, silent, clock, running)));
    expect(totals.reduce((sum, total) => sum + total.issued, 0)).toBe(3_000);
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 3_000, rows: 3_000 });
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 0 });
  });

  it('stands by while another worker drains the backlog of a coupon, and takes over when that one falls silent', async () => {
    await stores.seed({ id: '42', total: 400 });
    await admit('42', 400);
    // Killed with a batch in its hands: it says nothing more, and keeps its claims.
    const hung = new Promise<never>(() => undefined);
    const victim = { ...ports({ ledger: { issue: () => hung } }) };
    void drainLoop(victim, { ...LOOP, worker: 'victim', batch: 10 }, silent, clock, running);
    await until(async () => (await stores.claims.backlog('42')).claimed === 10);

    const passes: CouponPass[] = [];
    const events = { ...silent, pass: (all: readonly CouponPass[]) => passes.push(...all) };
    const stop = new AbortController();
    const totals = drainLoop(ports(), { ...LOOP, until: 'stopped', worker: 'other' }, events, systemClock, stop.signal);
    await until(async () => (await stores.ledger.counts('42'))!.rows === 390);
    stop.abort();
    expect(await totals).toMatchObject({ issued: 390 });
    expect(passes[0]).toEqual({ ...emptyPass('42'), waiting: 390, heldBy: 'victim' });
  });

  it('takes its batch beside a worker that drains the backlog, without --eager', async () => {
    await stores.seed({ id: '42', total: 400 });
    await admit('42', 400);
    const { epoch } = (await stores.ledger.coupon('42'))!;
    await stores.claims.claim('42', { epoch, limit: 10, leaseMs: 30_000, worker: 'eager', holdMs: 2 * HOLD_MS });
    const [pass] = await drainPass(ports(), OPTIONS, running);
    expect(pass).toMatchObject({ issued: 100, waiting: 290 });
  });

  it.each([
    [
      'after the claim',
      { ledger: { issue: () => Promise.reject(new Error('killed')) }, claims: { release: () => Promise.reject(new Error('killed')) } },
    ],
    [
      'after the commit',
      { claims: { ack: () => Promise.reject(new Error('killed')), release: () => Promise.reject(new Error('killed')) } },
    ],
  ])('that died %s loses nobody and issues nobody twice', async (_name, change) => {
    await stores.seed({ id: '42', total: 50 });
    await admit('42', 50);
    await expect(drainPass(ports(change), OPTIONS, running)).rejects.toThrow('killed');
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 50 });
    for (const user of await stores.redis.zrange('coupon_leases:42', '0', '-1')) await stores.redis.zadd('coupon_leases:42', 1, user);
    await drainLoop(ports(), LOOP, silent, clock, running);
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 50, rows: 50 });
    expect(await stores.redis.keys('issued_coupon:*')).toHaveLength(50);
  });

  it('whose ledger fails gives its claims back at once', async () => {
    await stores.seed({ id: '42' });
    await admit('42', 10);
    await expect(drainPass(ports({ ledger: { issue: () => Promise.reject(new Error('down')) } }), OPTIONS, running)).rejects.toThrow(
      'down',
    );
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 10, claimed: 0 });
  });

  it('takes a coupon out of service when the ledger guards the total, and issues nothing beyond it', async () => {
    await stores.seed({ id: '42', total: 5 });
    // Redis promises more than the total: what a rolled-back store does.
    await stores.redis.hset('coupon:42', 'stock', 50);
    await admit('42', 20);
    const [pass] = await drainPass(ports(), OPTIONS, running);
    expect(pass).toMatchObject({ issued: 0, released: 20, skipped: 'suspect', reason: 'coupons_total' });
    expect(await stores.redis.hget('coupon:42', 'suspect')).toBe('coupons_total');
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 20, claimed: 0 });
    await expect(drainLoop(ports(), LOOP, silent, clock, running)).rejects.toMatchObject({ code: 'COUPON_SUSPECT', kind: 'broken' });
  });

  it('checks a restarted Redis against the ledger before it claims, and refuses one that lost data', async () => {
    await stores.seed({ id: 'kept', total: 20 });
    await stores.seed({ id: 'lost', total: 20 });
    await admit('kept', 10);
    await admit('lost', 10);
    await drainPass(ports(), { ...OPTIONS, batch: 5 }, running);
    await stores.redis.hset('coupon:kept', 'run', 'before');
    await stores.redis.hset('coupon:lost', 'run', 'before', 'fence', 0);
    const passes = await drainPass(ports(), OPTIONS, running);
    expect(passes).toEqual([
      expect.objectContaining({ couponId: 'kept', issued: 5 }),
      expect.objectContaining({ couponId: 'lost', issued: 0, skipped: 'suspect', reason: 'fence' }),
    ]);
  });

  it('names a queue that no coupon of the ledger stands behind, and leaves it alone', async () => {
    await stores.redis.zadd('coupon_waiting_queue:stranger', 1, 'x');
    expect(await drainPass(ports(), { ...OPTIONS, scan: true }, running)).toEqual([
      expect.objectContaining({ couponId: 'stranger', skipped: 'no_ledger' }),
    ]);
    expect(await stores.redis.zcard('coupon_waiting_queue:stranger')).toBe(1);
  });

  it('says once that a store went away and once that it is back', async () => {
    await stores.seed({ id: '42' });
    await admit('42', 3);
    const down = new CouponError({ code: 'DATABASE_DOWN', kind: 'unreachable', message: 'down', fix: 'Wait.' });
    let failures = 3;
    const coupons = () => (failures-- > 0 ? Promise.reject(down) : stores.ledger.coupons());
    const told: string[] = [];
    const events = { ...silent, outage: () => told.push('away'), recovered: () => told.push('back') };
    const totals = await drainLoop(ports({ ledger: { coupons } }), { ...LOOP, patienceMs: 60_000 }, events, clock, running);
    expect(totals).toMatchObject({ issued: 3 });
    expect(told).toEqual(['away', 'back']);
  });

  it('gives up when patience runs out, if it was to end by itself', async () => {
    const down = new CouponError({ code: 'DATABASE_DOWN', kind: 'unreachable', message: 'down', fix: 'Wait.' });
    const away = ports({ ledger: { coupons: () => Promise.reject(down) } });
    await expect(drainLoop(away, LOOP, silent, clock, running)).rejects.toBe(down);
  });

  it('begins no further batch once it was told to stop, and leaves no claim behind', async () => {
    await stores.seed({ id: '42', total: 2_000 });
    await admit('42', 2_000);
    const stop = new AbortController();
    let statements = 0;
    let users = 0;
    const ledger: Ledger = {
      ...stores.ledger,
      issue: async (couponId, claims, options) => {
        statements += 1;
        users += claims.length;
        if (statements === 2) stop.abort();
        return stores.ledger.issue(couponId, claims, options);
      },
    };
    const totals = await drainLoop({ ...ports(), ledger }, { ...LOOP, until: 'stopped' }, silent, clock, stop.signal);
    // The first batch goes alone; six may be under way when the signal comes.
    expect(totals).toMatchObject({ passes: 1, issued: users });
    expect(users).toBeLessThanOrEqual(700);
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 2_000 - users, claimed: 0 });
  });

  it('begins a backlog with a small batch, as nothing else is done meanwhile, and a single batch with a whole one', async () => {
    await stores.seed({ id: '42', total: 3_000 });
    await admit('42', 3_000);
    const limits: number[] = [];
    const claim: ClaimQueue['claim'] = async (couponId, options) => {
      limits.push(options.limit);
      return stores.claims.claim(couponId, options);
    };
    await drainPass(ports({ claims: { claim } }), { ...OPTIONS, batch: 500 }, running);
    await drainPass(ports({ claims: { claim } }), { ...OPTIONS, batch: 500, sliceMs: 60_000 }, running);
    expect(limits.slice(0, 4)).toEqual([500, 100, 500, 500]);
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 0 });
  });

  it('does not let a coupon whose ledger is slow hold up another one', async () => {
    for (const id of ['fast', 'slow']) {
      await stores.seed({ id, total: 300 });
      await admit(id, 300);
    }
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const ledger: Ledger = {
      ...stores.ledger,
      issue: async (couponId, ...rest) => {
        if (couponId === 'slow') await gate;
        return stores.ledger.issue(couponId, ...rest);
      },
    };
    const draining = drainLoop({ ...ports(), ledger }, { ...LOOP, until: 'empty' }, silent, clock, new AbortController().signal);
    await until(async () => (await stores.ledger.counts('fast'))!.rows === 300);
    expect((await stores.ledger.counts('slow'))!.rows).toBe(0);
    release();
    expect(await draining).toMatchObject({ issued: 600 });
  });
});
