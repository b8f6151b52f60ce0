import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isUserId } from '../../../src/campaign/ids.ts';
import type { AckRow } from '../../../src/campaign/ports/acknowledgement.ts';
import type { ClaimResult } from '../../../src/drain/ports.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const users = (count: number) => Array.from({ length: count }, (_, i) => `user-${i + 1}`);
const rowOf = (userId: string, change: Partial<AckRow> = {}): AckRow => ({
  couponId: '42',
  userId,
  requestedAt: new Date('2026-12-24T01:00:00.000Z'),
  issuedAt: new Date('2026-12-24T01:00:02.000Z'),
  expiresAt: null,
  usedAt: null,
  revokedAt: null,
  fence: 1,
  ...change,
});

describe('claims', () => {
  let stores: TestStores;
  let epoch: string;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 2_000 });
    epoch = (await stores.ledger.coupon('42'))!.epoch;
  });

  const admit = (ids: string[]) =>
    stores.admission.admit(
      '42',
      ids.map((userId) => ({ userId, requestId: 'r' })),
    );
  const claim = (limit: number, leaseMs = 30_000, waiting = 0) =>
    stores.claims.claim('42', { epoch, limit, leaseMs, worker: 'w', waiting });
  const claimed = (result: ClaimResult) => (result.status === 'ok' ? result.claims.map((one) => one.userId) : result.status);
  const expireLeases = async () => {
    for (const user of await stores.redis.zrange('coupon_leases:42', '0', '-1')) await stores.redis.zadd('coupon_leases:42', 1, user);
  };

  it('take the oldest first, also across several script runs', async () => {
    await admit(users(500));
    expect(claimed(await claim(450))).toEqual(users(450));
    expect(await claim(100)).toMatchObject({ status: 'ok', waiting: 0, reclaimed: 0 });
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 500 });
  });

  it('are the same where more users are thought to wait than do', async () => {
    await admit(users(500));
    expect(claimed(await claim(450, 30_000, 500))).toEqual(users(450));
    expect(await claim(1_000, 30_000, 700)).toMatchObject({ status: 'ok', waiting: 0, claims: { length: 50 } });
    expect(await claim(1_000, 30_000, 700)).toMatchObject({ status: 'ok', waiting: 0, claims: [] });
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 500 });
  });

  it('are for the users behind as well, where fewer are thought to wait than do', async () => {
    await admit(users(1_500));
    expect(claimed(await claim(1_000, 30_000, 300))).toEqual(users(1_000));
  });

  it('number every claim with a rising fence, and count deliveries', async () => {
    await admit(users(2));
    const first = await claim(1);
    await expireLeases();
    const second = await claim(2);
    expect(first).toMatchObject({ claims: [{ userId: 'user-1', fence: 1, deliveries: 1 }] });
    expect(second).toMatchObject({
      reclaimed: 1,
      claims: [
        { userId: 'user-1', fence: 2, deliveries: 2 },
        { userId: 'user-2', fence: 2, deliveries: 1 },
      ],
    });
  });

  it('are listed with their worker, the one that ends first at the top', async () => {
    await admit(users(4));
    await claim(1, 60_000);
    await claim(2, 30_000);
    const leases = await stores.reader.leases('42', 10);
    expect(leases).toMatchObject([
      { worker: 'w', fence: 2, users: 2 },
      { worker: 'w', fence: 1, users: 1 },
    ]);
    expect(leases[0]!.deadlineMs).toBeLessThan(leases[1]!.deadlineMs);
    expect(await stores.reader.leases('42', 1)).toHaveLength(1);
  });

  describe('of a backlog that one worker drains alone', () => {
    const HOUR_MS = 3_600_000;
    const claimAs = (worker: string, holdMs?: number) =>
      stores.claims.claim('42', { epoch, limit: 2, leaseMs: 30_000, worker, ...(holdMs === undefined ? {} : { holdMs }) });

    it('are refused to others that would do the same, with its name, and change nothing', async () => {
      await admit(users(6));
      expect(claimed(await claimAs('a', HOUR_MS))).toEqual(['user-1', 'user-2']);
      const before = await stores.redis.hgetall('coupon:42');
      expect(await claimAs('b', HOUR_MS)).toEqual({ status: 'held', by: 'a', waiting: 4 });
      expect(await stores.redis.hgetall('coupon:42')).toEqual(before);
      expect(claimed(await claimAs('a', HOUR_MS))).toEqual(['user-3', 'user-4']);
    });

    it('are given beside it to one that takes a single batch, which does not become the holder', async () => {
      await admit(users(6));
      await claimAs('a', HOUR_MS);
      expect(claimed(await claimAs('once'))).toEqual(['user-3', 'user-4']);
      expect(await claimAs('b', HOUR_MS)).toMatchObject({ status: 'held', by: 'a' });
    });

    it('begin with users that wait: a look at an empty queue keeps nobody off', async () => {
      expect(claimed(await claimAs('a', HOUR_MS))).toEqual([]);
      await admit(users(2));
      expect(claimed(await claimAs('b', HOUR_MS))).toEqual(['user-1', 'user-2']);
    });

    it.each([
      ['has claimed nothing for as long as it asked for', 'a:1'],
      ['asked when the clock was far ahead', `a:${Date.now() + 365 * 24 * HOUR_MS}`],
      ['cannot be read', 'a:soon'],
    ])('are free again when the holder %s', async (_what, drainedBy) => {
      await admit(users(4));
      await claimAs('a', HOUR_MS);
      await stores.redis.hset('coupon:42', 'drained_by', drainedBy);
      expect(claimed(await claimAs('b', HOUR_MS))).toEqual(['user-3', 'user-4']);
      expect(await claimAs('a', HOUR_MS)).toMatchObject({ status: 'held', by: 'b' });
    });
  });

  it('that ran out go back to their original place', async () => {
    await admit(users(3));
    const before = await stores.redis.zrange('coupon_waiting_queue:42', '0', '-1', 'WITHSCORES');
    await claim(2);
    await expireLeases();
    expect(claimed(await claim(3))).toEqual(users(3));
    await stores.claims.release(
      '42',
      epoch,
      [1, 2, 3].map((n) => ({ userId: `user-${n}`, fence: 2 })),
    );
    expect(await stores.redis.zrange('coupon_waiting_queue:42', '0', '-1', 'WITHSCORES')).toEqual(before);
  });

  it('whose deadline is absurdly late, because the clock was set back, go back too', async () => {
    await admit(users(1));
    await claim(1, 1_000);
    await stores.redis.zadd('coupon_leases:42', Date.now() + 7_200_000, 'user-1');
    expect(await claim(1)).toMatchObject({ reclaimed: 1, claims: [{ userId: 'user-1' }] });
  });

  it('are acknowledged with the times of each row, whatever the row before it has', async () => {
    const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));
    const row = (userId: string, expiresAt: Date | null, issuedAt: Date, usedAt: Date | null, revokedAt: Date | null) => ({
      couponId: '42',
      userId,
      requestedUs: day(1).getTime() * 1_000,
      requestedAt: day(1),
      issuedAt,
      expiresAt,
      usedAt,
      revokedAt,
      fence: 1,
    });
    const rows = [
      row('a', null, day(2), null, null),
      row('b', null, day(2), day(3), null),
      row('c', day(9), day(2), day(3), day(4)),
      row('d', day(9), day(5), null, day(4)),
      { ...row('e', null, day(5), null, null), requestedAt: day(7) },
      { ...row('f', null, day(5), null, null), requestedAt: new Date(day(7)) },
      row('g', null, day(5), null, null),
    ];
    expect(await stores.claims.ack('42', epoch, rows)).toBe('ok');
    const text = (date: Date | null): string => date?.toISOString() ?? '';
    for (const { userId, ...times } of rows) {
      const hash = await stores.redis.hgetall(`issued_coupon:coupon:42-user:${userId}`);
      expect({ revoked_at: '', ...hash }).toEqual({
        userId,
        couponId: '42',
        ex_date: text(times.expiresAt),
        used_at: text(times.usedAt),
        revoked_at: text(times.revokedAt),
        requested_at: text(times.requestedAt),
        issued_at: text(times.issuedAt),
      });
    }
  });

  it('are refused for another epoch, another server, a suspect coupon, or none', async () => {
    await admit(users(1));
    expect(await stores.claims.claim('42', { epoch: 'other', limit: 1, leaseMs: 1_000, worker: 'w' })).toEqual({ status: 'epoch' });
    expect(await stores.claims.claim('43', { epoch, limit: 1, leaseMs: 1_000, worker: 'w' })).toEqual({ status: 'gone' });
    await stores.redis.hset('coupon:42', 'run', 'another-server');
    expect(await claim(1)).toEqual({ status: 'run' });
    await stores.coupons.markSuspect('42', epoch, 'coupons_total');
    expect(await claim(1)).toEqual({ status: 'suspect', reason: 'coupons_total' });
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 1, claimed: 0 });
  });

  it('adopt users that another service queued, and dead-letter names that cannot be issued', async () => {
    await stores.redis.zadd(
      'coupon_waiting_queue:42',
      1_795_330_311_082,
      'foreign-1',
      1_795_330_311_083,
      'has space',
      1_795_330_311_084,
      '사용자',
    );
    expect(await claim(10)).toMatchObject({ buried: 2, claims: [{ userId: 'foreign-1', score: 1_795_330_311_082_000 }] });
    expect(await stores.redis.hgetall('coupon_dead:42')).toEqual({ 'has space': 'invalid_user_id', 사용자: 'invalid_user_id' });
    expect(await stores.redis.hget('coupon_admitted:42', 'foreign-1')).toBe('1795330311082000:');
    expect(await stores.redis.hlen('coupon_admitted:42')).toBe(3);
  });

  it('are of the names that the rule of user ids allows, byte by byte', async () => {
    const bytes = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1));
    const names = bytes.flatMap((byte) => [byte, `${byte}a`, `a${byte}`, `\\x4${byte}`, `a\\${byte}41`]);
    const distinct = [...new Set([...names, 'a'.repeat(128), 'a'.repeat(129), '\\'.repeat(129)])];
    await stores.redis.zadd('coupon_waiting_queue:42', ...distinct.flatMap((name, i) => [1_795_330_311_082_000 + i, name]));
    const result = await claim(1_000, 30_000, 1_000);
    expect(claimed(result)).toEqual(distinct.filter(isUserId));
    expect(result).toMatchObject({ buried: distinct.length - distinct.filter(isUserId).length });
  });

  it('are given up by ack, which writes exactly the interface of other services and then some', async () => {
    await admit(users(1));
    await claim(1);
    expect(await stores.claims.ack('42', epoch, [rowOf('user-1', { expiresAt: new Date('2027-01-01T00:00:00.000Z') })])).toBe('ok');
    expect(await stores.redis.hgetall('issued_coupon:coupon:42-user:user-1')).toEqual({
      userId: 'user-1',
      couponId: '42',
      ex_date: '2027-01-01T00:00:00.000Z',
      used_at: '',
      requested_at: '2026-12-24T01:00:00.000Z',
      issued_at: '2026-12-24T01:00:02.000Z',
    });
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 0 });
    expect(await stores.redis.exists('coupon_claims:42')).toBe(0);
  });

  it('acknowledged again, or late, never take back that a coupon was used or revoked', async () => {
    const used = '2026-12-25T00:00:00.000Z';
    await stores.claims.ack('42', epoch, [rowOf('user-1')]);
    await stores.redis.hset('issued_coupon:coupon:42-user:user-1', 'used_at', used, 'revoked_at', used);
    await stores.claims.ack('42', epoch, [rowOf('user-1')]);
    expect(await stores.redis.hmget('issued_coupon:coupon:42-user:user-1', 'used_at', 'revoked_at')).toEqual([used, used]);
  });

  it('acknowledged for somebody who was dead-lettered for want of a coupon take one that is in stock, and never one that is not', async () => {
    const counters = () => stores.redis.hmget('coupon:42', 'stock', 'returned');
    await stores.redis.hset('coupon_dead:42', 'user-1', 'over_promised', 'user-2', 'over_promised');
    await stores.redis.hset('coupon:42', 'stock', 1, 'returned', 2);
    await stores.claims.ack('42', epoch, [rowOf('user-1')]);
    expect(await counters()).toEqual(['0', '1']);
    await stores.claims.ack('42', epoch, [rowOf('user-1'), rowOf('user-2')]);
    expect(await counters()).toEqual(['0', '0']);
    expect(await stores.redis.exists('coupon_dead:42')).toBe(0);
  });

  it('cannot be acknowledged or released for another life of the coupon', async () => {
    await admit(users(1));
    await claim(1);
    expect(await stores.claims.ack('42', 'other', [rowOf('user-1')])).toBe('epoch');
    expect(await stores.claims.release('42', 'other', [{ userId: 'user-1', fence: 1 }])).toBe(0);
    expect(await stores.claims.backlog('42')).toEqual({ waiting: 0, claimed: 1 });
  });

  it('are only released by the one who holds them', async () => {
    await admit(users(1));
    await claim(1);
    await expireLeases();
    await claim(1);
    expect(await stores.claims.release('42', epoch, [{ userId: 'user-1', fence: 1 }])).toBe(0);
    expect(await stores.claims.release('42', epoch, [{ userId: 'user-1', fence: 2 }])).toBe(1);
    expect(await stores.claims.release('42', epoch, [{ userId: 'user-1', fence: 2 }])).toBe(0);
  });
});
