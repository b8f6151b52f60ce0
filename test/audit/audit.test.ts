import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/lib/clock.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { audit, type AuditReport } from '../../src/audit/audit.ts';
import { drainPass } from '../../src/drain/pass.ts';
import type { DrainOptions } from '../../src/drain/ports.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const DRAIN: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };
const ID = 'sale';

describe('audit', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const auditAll = (scan = false, couponIds: string[] = []): Promise<AuditReport> =>
    audit({ reader: stores.reader, ledger: stores.ledger, clock: systemClock }, { couponIds, scan, keyStyle: 'plain' });
  const admit = (count: number, prefix = 'user-', id = ID) =>
    stores.admission.admit(
      id,
      Array.from({ length: count }, (_, i) => ({ userId: `${prefix}${i + 1}`, requestId: 'r' })),
    );
  const drain = () =>
    drainPass({ claims: stores.claims, coupons: stores.coupons, ledger: stores.ledger }, DRAIN, new AbortController().signal);
  const claim = async (limit: number) => {
    const epoch = (await stores.ledger.coupon(ID))!.epoch;
    const result = await stores.claims.claim(ID, { epoch, limit, leaseMs: 30_000, worker: 'w' });
    if (result.status !== 'ok') throw new Error(result.status);
    return { epoch, claims: result.claims };
  };
  const commit = async (limit: number) => {
    const { epoch, claims } = await claim(limit);
    await stores.ledger.issue(ID, claims, { epoch, worker: 'w', timeoutMs: 10_000 });
    return { epoch, claims };
  };
  const issuedKey = (userId: string) => `issued_coupon:coupon:${ID}-user:${userId}`;
  const found = (report: AuditReport) => report.findings.map(({ code, couponId, count, sample }) => ({ code, couponId, count, sample }));
  const users = (code: string, ...sample: string[]) => ({ code, couponId: ID, count: sample.length, sample });
  const coupon = (code: string) => ({ code, couponId: ID, count: 1, sample: [] });

  describe('finds nothing', () => {
    it('when there are no coupons', async () => {
      expect(await auditAll()).toEqual({ ok: true, coupons: [], findings: [], hashOnly: 'unchecked', notes: [] });
    });

    it('in a fresh coupon, a busy one and a sold out one', async () => {
      await stores.seed({ id: 'fresh', total: 10 });
      await stores.seed({ id: 'busy', total: 10, expiry: { kind: 'after', ms: 86_400_000 } });
      await stores.seed({
        id: 'out',
        total: 5,
        opensAt: new Date('2020-01-01T00:00:00Z'),
        expiry: { kind: 'at', at: new Date('2099-01-01T00:00:00Z') },
      });
      await admit(4, 'user-', 'busy');
      await admit(20, 'user-', 'out');
      await drain();
      await admit(3, 'later-', 'busy');
      const report = await auditAll(true);
      expect(report.findings).toEqual([]);
      expect(report).toMatchObject({ ok: true, hashOnly: 'checked' });
      expect(report.coupons).toMatchObject([
        { couponId: 'busy', total: 10, stock: 3, waiting: 3, claimed: 0, dead: 0, issued: 4, inFlight: 0 },
        { couponId: 'fresh', total: 10, stock: 10, waiting: 0, claimed: 0, dead: 0, issued: 0, inFlight: 0 },
        { couponId: 'out', total: 5, stock: 0, waiting: 0, claimed: 0, dead: 0, issued: 5, inFlight: 0 },
      ]);
    });

    it('while users are claimed, committed and not acknowledged, or released', async () => {
      await stores.seed({ id: ID });
      await admit(9);
      const released = await claim(2);
      await stores.claims.release(ID, released.epoch, released.claims);
      const both = await commit(3);
      await stores.claims.release(ID, both.epoch, both.claims.slice(0, 1));
      await claim(2);
      const report = await auditAll(true);
      expect(report.findings).toEqual([]);
      // The one that was committed and given back was claimed once more.
      expect(report.coupons).toMatchObject([{ waiting: 5, claimed: 4, issued: 3, inFlight: 3 }]);
    });

    it('in users who were used, dead-lettered, or queued by another service that spent stock for them', async () => {
      await stores.seed({ id: ID });
      await admit(2);
      await drain();
      const result = await stores.ledger.use(ID, 'user-1', 'once', 'plain');
      if (result.status === 'used') await stores.coupons.use(ID, 'user-1', result.usedAt);
      for (const foreign of ['other-1', 'other-2', 'bad{id}', 'nul\u0000byte']) {
        await stores.redis.hincrby(`coupon:${ID}`, 'stock', -1);
        await stores.redis.zadd(`coupon_waiting_queue:${ID}`, 1_700_000_000, foreign);
      }
      const before = await auditAll(true);
      expect(before.findings).toEqual([]);
      expect(before.coupons).toMatchObject([{ waiting: 4, adoptable: 4 }]);
      await drain();
      const after = await auditAll(true);
      expect(after.findings).toEqual([]);
      expect(after.coupons).toMatchObject([{ waiting: 0, dead: 2, issued: 4, adoptable: 0, stock: 94 }]);
    });

    it('in a coupon whose seeding or reset is not finished, and says that it was not looked at', async () => {
      await stores.seed({ id: ID });
      await admit(3);
      await drain();
      await stores.ledger.startReset(ID, '00000000-0000-4000-8000-000000000001');
      const report = await auditAll();
      expect(report.findings).toEqual([]);
      expect(report.coupons).toMatchObject([{ couponId: ID, skipped: 'resetting' }]);
    });

    it('again and again while requests are taken and issued', async () => {
      await stores.seed({ id: ID, total: 1_000_000 });
      let admitted = 0;
      const over = new AbortController();
      const sale = async () => {
        for (; !over.signal.aborted; admitted += 20) {
          await admit(20, `user-${admitted}-`);
          await drain();
          // Without a pause it outgrows the audits.
          await delay(10);
        }
      };
      const reports: AuditReport[] = [];
      const audits = async () => {
        for (let time = 1; time <= 5; time += 1) reports.push(await auditAll(true));
      };
      await Promise.all([audits().finally(() => over.abort()), sale().finally(() => over.abort())]);
      reports.push(await auditAll(true));
      expect(reports.flatMap((report) => report.findings)).toEqual([]);
      expect(reports.at(-1)!.coupons).toMatchObject([{ issued: admitted, stock: 1_000_000 - admitted, inFlight: 0 }]);
      // It met the campaign in full swing.
      const counts = reports.map((report) => report.coupons[0]!.issued);
      expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b));
    });
  });

  describe('finds', () => {
    beforeEach(async () => {
      await stores.seed({ id: ID });
      await admit(3, 'old-');
      await drain();
      await admit(3, 'new-');
    });

    it('a user who was deleted from the queue by hand', async () => {
      await stores.redis.zrem(`coupon_waiting_queue:${ID}`, 'new-2');
      expect(found(await auditAll())).toEqual([users('lost', 'new-2')]);
    });

    it('a ledger row that was added by hand', async () => {
      await stores.sql(
        "INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries) VALUES ($1, 'friend', now(), 1, 'w', 1, 1)",
        [ID],
      );
      expect(found(await auditAll())).toEqual([coupon('issued_quantity_mismatch'), users('row_without_admission', 'friend')]);
      await stores.sql('UPDATE coupons SET issued_quantity = issued_quantity + 1');
      expect(found(await auditAll())).toEqual([users('row_without_admission', 'friend')]);
    });

    it('a ledger row that was renamed', async () => {
      await stores.sql("UPDATE issued_coupons SET user_id = 'friend' WHERE user_id = 'old-2'");
      expect(found(await auditAll())).toEqual([
        users('lost', 'old-2'),
        users('row_without_admission', 'friend'),
        users('hash_only', 'old-2'),
      ]);
    });

    it('an issued hash that was deleted', async () => {
      await stores.redis.del(issuedKey('old-1'));
      expect(found(await auditAll())).toEqual([users('hash_missing', 'old-1')]);
    });

    it('a forged issued hash, with --scan', async () => {
      await stores.redis.hset(issuedKey('forger'), 'userId', 'forger');
      const blind = await auditAll();
      expect(blind).toMatchObject({ ok: true, hashOnly: 'unchecked' });
      const report = await auditAll(true);
      expect(report).toMatchObject({ ok: false, hashOnly: 'checked' });
      expect(found(report)).toEqual([users('hash_only', 'forger')]);
    });

    it('an issued hash whose field was changed', async () => {
      await stores.redis.hset(issuedKey('old-3'), 'ex_date', '2099-01-01T00:00:00.000Z');
      const report = await auditAll();
      expect(found(report)).toEqual([users('hash_mismatch', 'old-3')]);
      expect(report.findings[0]!.facts).toEqual({ fields: 'ex_date' });
    });

    it('a stock that was changed or deleted by hand', async () => {
      await stores.redis.hincrby(`coupon:${ID}`, 'stock', 7);
      const report = await auditAll();
      expect(found(report)).toEqual([coupon('stock_mismatch')]);
      expect(report.findings[0]!.facts).toMatchObject({ stock: 101, expected: 94 });
      await stores.redis.hdel(`coupon:${ID}`, 'stock');
      expect(found(await auditAll())).toEqual([coupon('stock_missing')]);
    });

    it('a queue entry that another service wrote without spending stock', async () => {
      await stores.redis.zadd(`coupon_waiting_queue:${ID}`, 1, 'guest');
      expect(found(await auditAll())).toEqual([coupon('stock_mismatch')]);
    });

    it('everything that is wrong about one user, wherever it shows', async () => {
      await stores.redis.zadd(`coupon_leases:${ID}`, 1, 'old-1');
      await stores.redis.hset(issuedKey('old-1'), 'ex_date', 'never');
      expect(found(await auditAll())).toEqual([users('lease_without_claim', 'old-1'), users('hash_unreadable_time', 'old-1')]);
    });

    it('a user who is missing where the numbers fit', async () => {
      await drain();
      await stores.sql("DELETE FROM issued_coupons WHERE user_id = 'old-1'");
      await stores.sql('UPDATE coupons SET issued_quantity = issued_quantity - 1');
      await stores.redis.hset(`coupon_dead:${ID}`, 'stranger', 'fault');
      expect(found(await auditAll())).toEqual([
        users('lost', 'old-1'),
        users('place_without_admission', 'stranger'),
        users('hash_only', 'old-1'),
      ]);
    });

    it('a claim without a lease, and a lease without a claim', async () => {
      await claim(3);
      await stores.redis.zrem(`coupon_leases:${ID}`, 'new-1');
      await stores.redis.hdel(`coupon_claims:${ID}`, 'new-2');
      expect(found(await auditAll())).toEqual([users('lease_without_claim', 'new-2'), users('claim_without_lease', 'new-1')]);
    });

    it('a lease that the clock left far in the future', async () => {
      await claim(1);
      await stores.redis.zadd(`coupon_leases:${ID}`, 9_999_999_999_999, 'new-1');
      expect(found(await auditAll())).toEqual([users('lease_absurd', 'new-1')]);
    });

    it('claims, leases and dead records of users whom nobody admitted', async () => {
      await stores.redis.zadd(`coupon_leases:${ID}`, 1, 'ghost-1');
      await stores.redis.hset(`coupon_claims:${ID}`, 'ghost-2', '1:w:1:1:1:0');
      await stores.redis.hset(`coupon_dead:${ID}`, 'ghost-3', 'fault');
      expect(found(await auditAll())).toEqual([
        users('lease_without_claim', 'ghost-1'),
        users('claim_without_lease', 'ghost-2'),
        users('place_without_admission', 'ghost-1', 'ghost-2', 'ghost-3'),
      ]);
    });

    it('a turn that came too late', async () => {
      await drain();
      await stores.sql("UPDATE issued_coupons SET fence = 99 WHERE user_id = 'old-1'");
      expect(found(await auditAll())).toEqual([users('served_out_of_order', 'old-1')]);
    });

    it('a request time that differs between admission and ledger', async () => {
      await stores.sql("UPDATE issued_coupons SET requested_us = requested_us + 1 WHERE user_id = 'old-3'");
      expect(found(await auditAll())).toEqual([users('request_time_mismatch', 'old-3')]);
    });

    it('a coupon that Redis lost, together with everyone whom it issued', async () => {
      await stores.redis.flushdb();
      const report = await auditAll();
      expect(found(report)).toEqual([coupon('coupon_missing'), users('row_without_admission', 'old-1', 'old-2', 'old-3')]);
      expect(report.coupons).toMatchObject([{ stock: null, issued: 3, waiting: 0 }]);
    });

    it('a Redis that is behind, of another life, or suspect', async () => {
      await stores.redis.hset(`coupon:${ID}`, {
        fence: '0',
        epoch: 'other',
        version: '9',
        suspect: 'epoch',
        name: 'Other',
        total: '99',
        stock: '93',
      });
      expect(found(await auditAll())).toEqual(
        ['total_mismatch', 'redis_behind', 'epoch_mismatch', 'version_mismatch', 'settings_mismatch', 'suspect'].map(coupon),
      );
    });

    it('a ledger that issued more than the total, should its constraint ever be dropped', async () => {
      await stores.sql('ALTER TABLE coupons DROP CONSTRAINT coupons_total');
      await stores.sql('UPDATE coupons SET total_quantity = 2');
      await stores.redis.hset(`coupon:${ID}`, { total: '2', stock: '-4' });
      try {
        expect(found(await auditAll())).toEqual(['over_issued', 'over_admitted'].map(coupon));
      } finally {
        await stores.sql('UPDATE coupons SET total_quantity = 100');
        await stores.sql('ALTER TABLE coupons ADD CONSTRAINT coupons_total CHECK (issued_quantity BETWEEN 0 AND total_quantity)');
      }
    });

    it('a coupon that the ledger does not have', async () => {
      await stores.sql('TRUNCATE coupons, issued_coupons');
      const report = await auditAll();
      expect(found(report)).toEqual([coupon('coupon_not_in_ledger')]);
      expect(report.coupons).toMatchObject([{ couponId: ID, skipped: 'not_in_ledger' }]);
    });

    it('a coupon of another key style, when none is named', async () => {
      await stores.sql("UPDATE coupons SET key_style = 'hash-tag'");
      expect(found(await auditAll())).toEqual([coupon('key_style_mismatch')]);
      await expect(auditAll(false, [ID])).rejects.toMatchObject({ code: 'KEY_STYLE_MISMATCH' });
    });

    it('nothing in a coupon that was not asked about', async () => {
      await stores.seed({ id: 'other' });
      await stores.redis.hincrby(`coupon:${ID}`, 'stock', 7);
      expect(await auditAll(false, ['other'])).toMatchObject({ ok: true, coupons: [{ couponId: 'other' }] });
      await expect(auditAll(false, ['unknown'])).rejects.toMatchObject({ code: 'COUPON_UNKNOWN' });
    });

    it('more users than it names, and names the first ten in order', async () => {
      await admit(30, 'many-');
      await stores.redis.del(`coupon_waiting_queue:${ID}`);
      const [lost] = (await auditAll()).findings;
      expect(lost).toMatchObject({ code: 'lost', count: 33 });
      expect(lost!.sample).toHaveLength(10);
      expect(lost!.sample).toEqual([...lost!.sample].toSorted());
    });
  });
});
