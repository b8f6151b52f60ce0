import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { drainPass } from '../../src/drain/pass.ts';
import type { DrainOptions } from '../../src/drain/ports.ts';
import type { CouponPass } from '../../src/drain/coupon-pass.ts';
import { drainLoop, type LoopOptions } from '../../src/drain/loop.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const DRAIN: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };

describe('a trigger of the database’s own', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores({ durable: false })));
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.sql('DROP FUNCTION IF EXISTS veto CASCADE');
    await stores.clear();
    await stores.seed({ id: 'a' });
    await stores.seed({ id: 'b' });
  });

  /** Runs for each row whose user id begins with `banned`, or for every row of coupon a. */
  const veto = async (
    then: string,
    { when = "NEW.user_id LIKE 'banned%'", trigger = 'TRIGGER veto BEFORE INSERT ON issued_coupons FOR EACH ROW' } = {},
  ) => {
    await stores.sql(`CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${when} THEN ${then}; END IF; RETURN NEW; END $$`);
    await stores.sql(`CREATE ${trigger} EXECUTE FUNCTION veto()`);
  };
  const admit = (couponId: string, ...userIds: string[]) =>
    stores.admission.admit(
      couponId,
      userIds.map((userId) => ({ userId, requestId: 'r' })),
    );
  const ports = () => ({ claims: stores.claims, coupons: stores.coupons, ledger: stores.ledger });
  const drain = (options: Partial<DrainOptions> = {}) => drainPass(ports(), { ...DRAIN, ...options }, new AbortController().signal);
  const issued = async () =>
    (await stores.sql(`SELECT coupon_id || ':' || user_id AS name FROM issued_coupons ORDER BY 1`)).map((row) => String(row['name']));
  const dead = (couponId: string) => stores.redis.hgetall(`coupon_dead:${couponId}`);

  it.each([
    ['P0001', "RAISE EXCEPTION 'user is banned'"],
    ['UE001', "RAISE EXCEPTION 'own code' USING ERRCODE = 'UE001'"],
    ['42501', "RAISE EXCEPTION 'not allowed' USING ERRCODE = '42501'"],
    ['42883', 'PERFORM no_such_function(NEW.user_id)'],
    ['42P01', 'PERFORM 1 FROM no_such_table'],
    ['44000', "RAISE EXCEPTION 'check option' USING ERRCODE = '44000'"],
    ['55000', "RAISE EXCEPTION 'not now' USING ERRCODE = '55000'"],
    ['54000', "RAISE EXCEPTION 'too much' USING ERRCODE = '54000'"],
    ['0A000', "RAISE EXCEPTION 'no such feature' USING ERRCODE = '0A000'"],
    ['25000', "RAISE EXCEPTION 'state' USING ERRCODE = '25000'"],
    ['XX000', "RAISE EXCEPTION 'internal' USING ERRCODE = 'XX000'"],
    ['23514', "RAISE EXCEPTION 'rule' USING ERRCODE = '23514'"],
    ['23503', "RAISE EXCEPTION 'no such account' USING ERRCODE = '23503'"],
    ['22012', 'PERFORM 1 / 0'],
  ])('that refuses one user with %s dead-letters that user alone', async (code, then) => {
    await veto(then);
    await admit('a', 'banned', 'ok-1', 'ok-2', 'ok-3');
    await admit('b', 'u1', 'u2');
    const [a, b] = await drain();
    expect(a).toMatchObject({ issued: 3, dead: 1, refused: [{ userId: 'banned', reason: expect.stringMatching(`^${code}`) }] });
    expect(b).toMatchObject({ issued: 2 });
    expect(await issued()).toEqual(['a:ok-1', 'a:ok-2', 'a:ok-3', 'b:u1', 'b:u2']);
    expect(await dead('a')).toEqual({ banned: expect.stringMatching(`^${code}`) });
  });

  it('that drops the row of one user without an error dead-letters that user', async () => {
    await veto('RETURN NULL');
    await admit('a', 'banned', 'ok-1');
    expect((await drain())[0]).toMatchObject({ issued: 1, dead: 1, refused: [{ userId: 'banned' }] });
    expect(await dead('a')).toEqual({ banned: expect.stringContaining('kept no row') });
  });

  it('that is deferred refuses at COMMIT, and is held against the row as well', async () => {
    await veto("RAISE EXCEPTION 'late'", {
      trigger: 'CONSTRAINT TRIGGER veto AFTER INSERT ON issued_coupons DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
    });
    await admit('a', 'ok-1', 'banned', 'ok-2');
    expect((await drain())[0]).toMatchObject({ issued: 2, dead: 1, refused: [{ userId: 'banned', reason: 'P0001 late' }] });
  });

  it('with one row a batch: whoever is refused first is compared with those behind', async () => {
    await veto("RAISE EXCEPTION 'banned'");
    await admit('a', 'banned-1', 'banned-2', 'ok-1', 'ok-2');
    expect((await drain({ batch: 1 }))[0]).toMatchObject({ issued: 1, dead: 2, waiting: 1 });
  });

  it.each([
    ['P0001', "RAISE EXCEPTION 'closed'"],
    ['23502', "RAISE EXCEPTION 'a new column' USING ERRCODE = '23502'"],
    ['42883', 'PERFORM no_such_function()'],
    ['without an error', 'RETURN NULL'],
  ])('that refuses everybody of a coupon (%s) skips it, dead-letters nobody, and the others go on', async (_code, then) => {
    await veto(then, { when: "NEW.coupon_id = 'a'" });
    await admit('a', ...Array.from({ length: 40 }, (_, i) => `u${i}`));
    await admit('b', 'u1', 'u2');
    const [a, b] = await drain();
    expect(a).toMatchObject({ issued: 0, dead: 0, released: 40, skipped: 'refused', reason: expect.any(String) });
    expect(b).toMatchObject({ issued: 2 });
    expect(await stores.claims.backlog('a')).toEqual({ waiting: 40, claimed: 0 });
    expect(await dead('a')).toEqual({});
    await expect(loop({ until: 'empty' })).rejects.toMatchObject({ code: 'LEDGER_REFUSES', kind: 'failure' });
    await stores.sql('DROP FUNCTION veto CASCADE');
    expect(await loop({ until: 'empty' })).toMatchObject({ issued: 40, dead: 0 });
  });

  it('that refuses the only user who waits dead-letters that user at the third delivery', async () => {
    await veto("RAISE EXCEPTION 'banned'");
    await admit('a', 'banned');
    await admit('b', 'u1');
    const told: (CouponPass['skipped'] | 'dead')[] = [];
    const pass = (passes: readonly CouponPass[]) => void told.push(passes[0]!.dead > 0 ? 'dead' : passes[0]!.skipped);
    expect(await loop({ until: 'empty' }, pass)).toMatchObject({ issued: 1, dead: 1 });
    expect(new Set(told)).toEqual(new Set(['refused', 'dead']));
  });

  it('that raises a conflict for ever skips the coupon for a while, and patience ends `--once` with an outage', async () => {
    await veto("RAISE EXCEPTION 'clash' USING ERRCODE = '40001'", { when: "NEW.coupon_id = 'a'" });
    await admit('a', 'u1', 'u2');
    await admit('b', 'u1');
    const reasons = new Set<string | undefined>();
    const pass = (passes: readonly CouponPass[]) => void reasons.add(passes[0]!.reason);
    await expect(loop({ until: 'once', patienceMs: 500 }, pass)).rejects.toMatchObject({ code: 'LEDGER_BUSY', kind: 'unreachable' });
    expect(reasons).toEqual(new Set(['40001 clash']));
    expect(await issued()).toEqual(['b:u1']);
    expect(await dead('a')).toEqual({});
  });

  it('that raises a conflict for one user stops nobody, and dead-letters that user at the third delivery', async () => {
    await veto("RAISE EXCEPTION 'clash' USING ERRCODE = '40001'");
    for (const [delivery, userId] of ['ok-1', 'ok-2', 'ok-3'].entries()) {
      await admit('a', 'banned', userId);
      expect((await drain())[0]).toMatchObject({ issued: 1, dead: delivery === 2 ? 1 : 0 });
    }
  });

  it('that is too slow for one user stops nobody', async () => {
    await veto('PERFORM pg_sleep(60)');
    for (const [delivery, userId] of ['ok-1', 'ok-2', 'ok-3'].entries()) {
      await admit('a', userId, 'banned', `${userId}-later`);
      expect((await drain({ leaseMs: 1_500 }))[0]).toMatchObject({ issued: 2, dead: delivery === 2 ? 1 : 0 });
    }
    expect(await dead('a')).toEqual({ banned: expect.stringMatching(/^57014/) });
  });

  it('that raises what looks like an outage holds up its own coupon alone', async () => {
    await veto("RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'", { when: "NEW.coupon_id = 'a'" });
    await admit('a', 'u1');
    await admit('b', 'u1');
    expect(await drain()).toMatchObject([{ issued: 0, skipped: 'busy', reason: expect.stringContaining('disk full') }, { issued: 1 }]);
    await expect(drain()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('or a unique index of its own is named, and stops nobody', async () => {
    await stores.sql('CREATE UNIQUE INDEX one_each ON issued_coupons (user_id)');
    try {
      await admit('a', 'u1', 'u2');
      await admit('b', 'u1', 'u3');
      // Coupons are drained at the same time: whichever comes second is refused.
      const passes = (await drain()).toSorted((one, other) => other.issued - one.issued);
      expect(passes).toMatchObject([{ issued: 2 }, { issued: 1, dead: 1, refused: [{ reason: expect.stringContaining('one_each') }] }]);
    } finally {
      await stores.sql('DROP INDEX one_each');
    }
  });

  it('that refuses a row is not mistaken for the guard of the total', async () => {
    await stores.sql('CREATE TABLE accounts (id text PRIMARY KEY)');
    await stores.sql("INSERT INTO accounts VALUES ('known')");
    await stores.sql('ALTER TABLE issued_coupons ADD CONSTRAINT has_account FOREIGN KEY (user_id) REFERENCES accounts (id)');
    try {
      await admit('a', 'stranger', 'known');
      expect((await drain())[0]).toMatchObject({ issued: 1, dead: 1, refused: [{ userId: 'stranger' }] });
      expect(await stores.redis.hget('coupon:a', 'suspect')).toBe('');
    } finally {
      await stores.sql('ALTER TABLE issued_coupons DROP CONSTRAINT has_account; DROP TABLE accounts');
    }
  });

  it('that refuses nearly everybody never hides the users who would get through', async () => {
    await veto("RAISE EXCEPTION 'banned'");
    await admit('a', ...Array.from({ length: 70 }, (_, i) => `banned-${i}`), 'ok-1');
    const passes = [];
    for (let tries = 0; tries < 8 && (await issued()).length === 0; tries += 1) passes.push((await drain())[0]!);
    expect(await issued()).toEqual(['a:ok-1']);
  });

  async function loop(options: Partial<LoopOptions>, pass: (passes: readonly CouponPass[]) => void = () => undefined) {
    const whole: LoopOptions = { ...DRAIN, intervalMs: 10, eager: true, until: 'empty', patienceMs: 5_000, ...options };
    const clock = { now: () => performance.now(), sleep: async (ms: number) => void (await new Promise((go) => void setTimeout(go, ms))) };
    const events = { pass, outage: () => undefined, recovered: () => undefined };
    return drainLoop(ports(), whole, events, clock, new AbortController().signal);
  }
});
