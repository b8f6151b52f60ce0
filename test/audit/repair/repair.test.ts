import { systemClock } from '../../../src/lib/clock.ts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { drainPass } from '../../../src/drain/pass.ts';
import type { DrainOptions } from '../../../src/drain/ports.ts';
import type { CouponPass } from '../../../src/drain/coupon-pass.ts';
import { retryDead } from '../../../src/operate/dead.ts';
import { reset } from '../../../src/operate/reset.ts';
import { repair, type RepairPorts, type RepairReport } from '../../../src/audit/repair/repair.ts';
import { ledgerRepairs } from '../../../src/stores/postgres/ledger-repairs.ts';
import { redisDead } from '../../../src/stores/redis/dead.ts';
import { redisRepairs } from '../../../src/stores/redis/repairs.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const ID = 'sale';
const DRAIN: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };
const OPTIONS = { couponIds: [], scan: true, keyStyle: 'plain', dryRun: false, confirm: true, reopen: true };

const byStep = (a: { step: string }, b: { step: string }): number => (a.step < b.step ? -1 : 1);

describe('repair', () => {
  let stores: TestStores;
  let ports: RepairPorts;
  beforeAll(async () => {
    stores = await openStores();
    const { reader, ledger, claims, coupons, connection, database } = stores;
    ports = {
      reader,
      ledger,
      claims,
      coupons,
      clock: systemClock,
      redis: redisRepairs(connection, 'plain'),
      repairs: ledgerRepairs(database),
    };
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (change: Partial<typeof OPTIONS> = {}): Promise<RepairReport> =>
    repair(ports, { ...OPTIONS, ...change }, { mended: () => undefined, looked: () => undefined });
  const admit = (...userIds: string[]) =>
    stores.admission.admit(
      ID,
      userIds.map((userId) => ({ userId, requestId: 'r' })),
    );
  const drain = async (): Promise<CouponPass> =>
    (await drainPass({ claims: stores.claims, coupons: stores.coupons, ledger: stores.ledger }, DRAIN, new AbortController().signal))[0]!;
  const findings = async () => (await audit(ports, OPTIONS)).findings.map((found) => found.code);
  const key = (name: string) =>
    name === 'coupon' ? `coupon:${ID}` : name === 'queue' ? `coupon_waiting_queue:${ID}` : `coupon_${name}:${ID}`;
  const hash = (userId: string) => `issued_coupon:coupon:${ID}-user:${userId}`;
  const issued = async () => (await stores.sql('SELECT user_id FROM issued_coupons ORDER BY user_id')).map((row) => row['user_id']);
  const done = (report: RepairReport) => Object.fromEntries(report.done.map(({ step, count }) => [step, count]));

  /** Two issued, two waiting, of ten. */
  beforeEach(async () => {
    await stores.seed({ id: ID, total: 10 });
    await admit('a', 'b');
    await drain();
    await admit('c', 'd');
  });

  it('changes nothing where nothing is wrong, and says so', async () => {
    const before = await stores.redis.hgetall(key('coupon'));
    const report = await run();
    expect(report).toMatchObject({ ok: true, done: [], after: null, plan: { steps: [], manual: [] } });
    expect(await stores.redis.hgetall(key('coupon'))).toEqual(before);
  });

  it('says first what it would do, and does not do it', async () => {
    await stores.redis.zrem(key('queue'), 'c');
    await stores.redis.hset(key('coupon'), 'stock', 3);
    const report = await run({ dryRun: true });
    expect(report).toMatchObject({ ok: false, dryRun: true, after: null, done: [] });
    expect(report.plan.steps).toEqual([
      { couponId: ID, step: 'requeue', count: 1, sample: ['c'], because: ['lost'] },
      { couponId: ID, step: 'set_stock', count: 1, sample: [], because: ['stock_mismatch'] },
    ]);
    expect(await findings()).toEqual(['stock_mismatch', 'lost']);
  });

  it('puts lost users back at their original place, and the order of serving is not held against anybody', async () => {
    await stores.redis.zrem(key('queue'), 'c');
    await admit('e');
    await drain();
    expect(await issued()).toEqual(['a', 'b', 'd', 'e']);
    expect(done(await run())).toEqual({ requeue: 1 });
    expect(await findings()).toEqual([]);
    await drain();
    expect(await findings()).toEqual([]);
    expect(await issued()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a user deleted from the queue', () => stores.redis.zrem(key('queue'), 'd')],
    ['a user moved ahead in the queue', () => stores.redis.zadd(key('queue'), 1_000_000, 'd')],
    ['an admission deleted of somebody issued', () => stores.redis.hdel(key('admitted'), 'a')],
    ['an issued hash deleted', () => stores.redis.del(hash('a'))],
    ['an issued hash with other fields', () => stores.redis.hset(hash('a'), 'ex_date', '2030-01-01T00:00:00.000Z', 'userId', 'x')],
    ['a stock too high', () => stores.redis.hincrby(key('coupon'), 'stock', 3)],
    ['a stock too low', () => stores.redis.hincrby(key('coupon'), 'stock', -3)],
    ['a stock that is no number', () => stores.redis.hset(key('coupon'), 'stock', 'many')],
    ['a stock that is gone', () => stores.redis.hdel(key('coupon'), 'stock')],
    ['another total', () => stores.redis.hset(key('coupon'), 'total', 12)],
    ['another name and window', () => stores.redis.hset(key('coupon'), 'name', 'x', 'opens_at', '2020-01-01T00:00:00.000Z')],
    ['an older version', () => stores.redis.hset(key('coupon'), 'version', 0)],
    ['a coupon marked suspect', () => stores.redis.hset(key('coupon'), 'suspect', 'fence')],
    ['a fence that went back', () => stores.redis.hset(key('coupon'), 'fence', 0)],
    ['a counter of the ledger that is wrong', () => stores.sql('UPDATE coupons SET issued_quantity = 1')],
    ['a row deleted of somebody issued', () => stores.sql(`DELETE FROM issued_coupons WHERE user_id = 'a'`)],
    ['the whole of Redis', () => stores.redis.flushdb()],
    [
      'the whole of the ledger but the coupon',
      () => stores.sql('WITH gone AS (DELETE FROM issued_coupons) UPDATE coupons SET issued_quantity = 0, max_fence = 0'),
    ],
    ['another life of the coupon', () => stores.redis.hset(key('coupon'), 'epoch', '00000000-0000-4000-8000-000000000009')],
    [
      'a lease and no claim',
      () => stores.redis.zadd(key('leases'), Date.now() + 9_000, 'c').then(() => stores.redis.zrem(key('queue'), 'c')),
    ],
    [
      'a claim and no lease',
      () => stores.redis.hset(key('claims'), 'c', '9:w:1700000000000000:1000:1:0').then(() => stores.redis.zrem(key('queue'), 'c')),
    ],
    [
      'a lease of hours',
      () =>
        stores.redis
          .multi()
          .zrem(key('queue'), 'c')
          .hset(key('claims'), 'c', '9:w:1700000000000000:1000:1:0')
          .zadd(key('leases'), Date.now() + 9_000_000, 'c')
          .exec(),
    ],
    ['somebody dead who is issued', () => stores.redis.hset(key('dead'), 'a', 'fault')],
    ['somebody dead who was never accepted', () => stores.redis.hset(key('dead'), 'z', 'fault')],
    ['somebody claimed who was never accepted', () => stores.redis.hset(key('claims'), 'z', '9:w:1700000000000000:1000:1:0')],
    ['somebody queued by another service', () => stores.redis.zadd(key('queue'), 1_700_000_000_000, 'z')],
  ])('mends %s, so that both stores agree and everybody who was accepted and can be known gets a coupon', async (_name, break_) => {
    await break_();
    const before = await findings();
    const { plan } = await run({ dryRun: true });
    const report = await run();
    expect(report.plan).toEqual(plan);
    expect(report.done.toSorted(byStep)).toEqual(
      plan.steps.map(({ couponId, step, count }) => ({ couponId, step, count })).toSorted(byStep),
    );
    expect(before.length + report.plan.steps.length).toBeGreaterThan(0);
    expect(report.after?.findings).toEqual([]);
    expect(report.ok).toBe(true);
    // Once more changes nothing.
    expect(await run()).toMatchObject({ ok: true, done: [], after: null });
    const pass = await drain();
    expect(pass.skipped).toBeUndefined();
    expect(await findings()).toEqual([]);
    expect(await issued()).toEqual(expect.arrayContaining(['a', 'b']));
    const [counted] = await stores.sql('SELECT issued_quantity FROM coupons');
    expect(counted).toEqual({ issued_quantity: (await issued()).length });
  });

  const rewritten = async (): Promise<void> => {
    await stores.redis.del(key('coupon'));
    await stores.redis.hset(key('coupon'), 'name', 'summer', 'total', 10, 'stock', 6, '_class', 'Coupon');
  };

  it.each([
    ['another program deleted and wrote the hash of the coupon', rewritten],
    ['the epoch is gone', () => stores.redis.hdel(key('coupon'), 'epoch')],
    ['the epoch is empty', () => stores.redis.hset(key('coupon'), 'epoch', '')],
    ['the epoch and the run are gone', () => stores.redis.hdel(key('coupon'), 'epoch', 'run')],
    ['the epoch, the fence and the last time are gone', () => stores.redis.hdel(key('coupon'), 'epoch', 'fence', 'acked', 'last_us')],
  ])('keeps every accepted user where %s', async (_name, break_) => {
    await break_();
    await stores.redis.zadd(key('queue'), 1_700_000_000_000, 'z');
    const plan = (await run({ dryRun: true, confirm: false })).plan;
    expect(plan.takesAway).toEqual([]);
    const report = await run({ confirm: false });
    expect(report).toMatchObject({ ok: true, plan: { takesAway: [] } });
    expect(done(report)).toEqual(Object.fromEntries(plan.steps.map(({ step, count }) => [step, count])));
    expect(await stores.redis.hget(key('coupon'), 'stock')).toBe('5');
    expect(await drain()).toMatchObject({ issued: 3 });
    expect(await issued()).toEqual(['a', 'b', 'c', 'd', 'z']);
    expect(await findings()).toEqual([]);
  });

  const rewrittenUnused = async (): Promise<void> => {
    await stores.redis.del(key('coupon'));
    await stores.redis.hset(key('coupon'), 'name', 'summer', 'total', 10, 'stock', 10);
  };

  it('leaves fields that another program wrote into the hash', async () => {
    await rewritten();
    await run({ confirm: false });
    expect(await stores.redis.hget(key('coupon'), '_class')).toBe('Coupon');
  });

  const strange = '00000000-0000-4000-8000-000000000009';
  it.each<[string, () => Promise<unknown>]>([
    ['another program wrote an epoch into the hash', () => stores.redis.hset(key('coupon'), 'epoch', strange)],
    [
      'the epoch is one that the ledger has never known, in both places',
      () => stores.redis.multi().hset(key('coupon'), 'epoch', strange).set(key('life'), strange).exec(),
    ],
    [
      'the epoch is unknown and was never kept apart, as by an earlier version',
      () => stores.redis.multi().hset(key('coupon'), 'epoch', strange).del(key('life')).exec(),
    ],
    ['the hash is gone', () => stores.redis.del(key('coupon'))],
    ['the hash is gone, and the epoch was never kept apart', () => stores.redis.del(key('coupon'), key('life'))],
  ])('keeps every accepted user without a question where %s', async (_name, break_) => {
    await break_();
    const report = await run({ confirm: true });
    expect(report.plan.takesAway).toEqual([]);
    expect(report).toMatchObject({ ok: true });
    expect(await drain()).toMatchObject({ issued: 2 });
    expect(await issued()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('deletes the users of a life that the ledger has reset only when that is confirmed, and names them before', async () => {
    const keys = await stores.redis.keys('*');
    const former = await Promise.all(keys.map(async (name) => [name, await stores.redis.dumpBuffer(name)] as const));
    await reset(ID, { ledger: stores.ledger, coupons: stores.coupons, newEpoch: randomUUID });
    await stores.seed({ id: ID, total: 10 });
    await admit('new');
    await drain();
    // A backup of Redis from before the reset is restored.
    await stores.redis.flushdb();
    for (const [name, value] of former) await stores.redis.restore(name, 0, value);
    // Known by the record of a claim alone.
    await stores.redis.hset(key('claims'), 'e', '9:w:1700000000000000:1000:1:0');
    const kept = await stores.redis.zrange(key('queue'), '0', '-1');
    const refused = await run({ confirm: false });
    expect(refused).toMatchObject({ ok: false, confirmed: false, done: [] });
    expect(refused.plan.takesAway).toEqual([{ couponId: ID, users: ['a', 'b', 'c', 'd', 'e'] }]);
    expect(refused.plan.steps).toContainEqual(expect.objectContaining({ step: 'drop_life', count: 5 }));
    expect(refused.plan.mayBeMissing).toEqual([{ couponId: ID, upTo: 9 }]);
    expect(await stores.redis.zrange(key('queue'), '0', '-1')).toEqual(kept);
    const report = await run({ confirm: true });
    expect(report.plan).toEqual(refused.plan);
    expect(done(report)).toMatchObject({ drop_life: 5, rebuild_coupon: 1, rebuild_admission: 1, reopen: 1 });
    expect(report).toMatchObject({ ok: true, confirmed: true });
    expect(await stores.redis.exists(key('queue'))).toBe(0);
    expect(await issued()).toEqual(['new']);
  });

  it('leaves a coupon alone, and claims nothing, whose hash another program rewrites once more meanwhile', async () => {
    await stores.redis.hdel(key('coupon'), 'epoch');
    const { redis } = ports;
    const bind: typeof redis.bind = async (...args) => {
      await stores.redis.hset(key('coupon'), 'epoch', strange);
      return redis.bind(...args);
    };
    const report = await repair({ ...ports, redis: { ...redis, bind } }, OPTIONS, { mended: () => undefined, looked: () => undefined });
    expect(report).toMatchObject({ ok: false, done: [] });
    expect(await run()).toMatchObject({ ok: true });
    expect(await drain()).toMatchObject({ issued: 2 });
  });

  describe('after Redis has lost what it knew', () => {
    const state = async () => stores.redis.hget(key('coupon'), 'state');

    it.each<[string, () => Promise<unknown>, number]>([
      ['everything', () => stores.redis.flushdb(), 8],
      ['the keys of the coupon', async () => stores.redis.del(...(await stores.redis.keys('coupon*'))), 8],
      ['all but the hash of another program', () => stores.redis.flushdb().then(rewritten), 8],
      ['its last writes, as an older file has them', () => stores.redis.hset(key('coupon'), 'fence', 0), 6],
      ['who was accepted and who waits', () => stores.redis.del(key('admitted'), key('queue')), 2],
    ])(
      '%s, it says how many accepted users may be missing, and the coupon stays paused until it is reopened',
      async (_name, lose, upTo) => {
        await lose();
        const report = await run({ reopen: false });
        expect(report).toMatchObject({ ok: false, plan: { mayBeMissing: [{ couponId: ID, upTo }] } });
        expect(report.after!.findings).toMatchObject([{ code: 'accepted_may_be_missing', couponId: ID, facts: { upTo } }]);
        expect(done(report)).toMatchObject({ pause: 1 });
        expect(await state()).toBe('paused');
        expect(await admit('e')).toMatchObject([{ outcome: 'not_open' }]);
        // The users whom both stores know are served all the same.
        expect((await drain()).skipped).toBeUndefined();

        // Neither a second repair nor a restart opens it, nor another loss of the hash.
        expect(await run({ reopen: false })).toMatchObject({ ok: false, done: [] });
        await stores.redis.del(key('coupon'));
        expect(await run({ reopen: false })).toMatchObject({ ok: false });
        expect(await state()).toBe('paused');

        const opened = await run({ reopen: true });
        expect(done(opened)).toEqual({ reopen: 1 });
        expect(opened).toMatchObject({ ok: true });
        expect(await admit('e')).toMatchObject([{ outcome: 'accepted' }]);
        expect(await findings()).toEqual([]);
      },
    );

    it.each<[string, () => Promise<unknown>]>([
      ['nobody was ever accepted, and another program rewrote the hash', rewrittenUnused],
      ['nobody was ever accepted, and the stock is gone', () => stores.redis.hdel(key('coupon'), 'stock')],
    ])('says nothing of missing users where %s', async (_name, lose) => {
      await stores.clear();
      await stores.seed({ id: ID, total: 10 });
      await lose();
      expect(await run({ reopen: false })).toMatchObject({ ok: true, plan: { mayBeMissing: [] } });
      expect(await state()).toBe('open');
    });

    it('says nothing of missing users where every coupon has its user', async () => {
      await admit('e', 'f', 'g', 'h', 'i', 'j');
      await drain();
      await stores.redis.flushdb();
      expect(await run({ reopen: false })).toMatchObject({ ok: true, plan: { mayBeMissing: [] } });
      expect(await stores.redis.hmget(key('coupon'), 'state', 'stock')).toEqual(['open', '0']);
    });

    it('leaves a coupon closed that was closed', async () => {
      await stores.redis.hset(key('coupon'), 'state', 'closed', 'fence', 0);
      await run({ reopen: true });
      expect(await state()).toBe('closed');
    });

    it.each<[string, () => Promise<unknown>]>([
      ['everything', () => stores.redis.flushdb()],
      ['the hash', () => stores.redis.del(key('coupon'))],
      ['the hash, which another program wrote anew,', rewritten],
      [
        'the hash, and the epoch of a former life came back,',
        async () => {
          await stores.sql(`INSERT INTO coupon_ended_epochs (coupon_id, epoch) VALUES ('${ID}', '${strange}')`);
          await stores.redis.set(key('life'), strange);
          await stores.redis.hset(key('coupon'), 'epoch', strange);
        },
      ],
    ])('does not open a coupon that an operator had closed where %s was lost', async (_name, lose) => {
      await stores.sql("UPDATE coupons SET sale_state = 'closed'");
      await stores.redis.hset(key('coupon'), 'state', 'closed');
      await lose();
      await run({ reopen: true });
      expect(await state()).toBe('closed');
      expect(await findings()).toEqual([]);
    });

    it('leaves a coupon paused that an operator had paused, where the hash alone was lost and nobody is missing', async () => {
      await stores.sql("UPDATE coupons SET sale_state = 'paused'");
      await stores.redis.hset(key('coupon'), 'state', 'paused');
      await stores.redis.del(key('coupon'));
      await run({ reopen: false });
      expect(await state()).toBe('paused');
    });
  });

  it('rebuilds a coupon that Redis has lost: nobody is issued twice, nobody is asked to wait again, and the lost queue is not made up', async () => {
    await stores.redis.flushdb();
    expect(done(await run())).toEqual({ rebuild_coupon: 1, rebuild_admission: 2, restore_settings: 1, set_stock: 1, reopen: 1 });
    expect(await stores.redis.hgetall(key('coupon'))).toMatchObject({ total: '10', stock: '8', state: 'open', suspect: '' });
    expect(await stores.redis.smembers('coupon_index')).toEqual([ID]);
    expect((await admit('a', 'c')).map((answer) => [answer.outcome, answer.place])).toEqual([
      ['duplicate', 'issued'],
      ['accepted', 'waiting'],
    ]);
  });

  it('gives back what a ledger lost, a use included: the issued hash is the proof', async () => {
    await stores.ledger.use(ID, 'a', 'use-1', 'plain').then((used) => used.status === 'used' && stores.coupons.use(ID, 'a', used.usedAt));
    const before = await stores.sql('SELECT user_id, requested_us, issued_at, used_at FROM issued_coupons ORDER BY user_id');
    await stores.sql('WITH gone AS (DELETE FROM issued_coupons) UPDATE coupons SET issued_quantity = 0, max_fence = 0');
    expect(await drain()).toMatchObject({ skipped: 'suspect', reason: 'ledger' });
    expect(done(await run())).toMatchObject({ restore_row: 2, clear_suspect: 1 });
    expect(await stores.sql('SELECT user_id, requested_us, issued_at, used_at FROM issued_coupons ORDER BY user_id')).toEqual(before);
    expect(await stores.ledger.use(ID, 'a', 'use-2', 'plain')).toMatchObject({ status: 'already_used' });
    expect(await drain()).toMatchObject({ issued: 2 });
    expect(await findings()).toEqual([]);
  });

  it('gives a row back that was lost with a later claim, and the ledger has reached that claim then', async () => {
    const { epoch } = (await stores.ledger.coupon(ID))!;
    await stores.claims.claim(ID, { epoch, limit: 1, leaseMs: 30_000, worker: 'w' });
    await stores.redis.hset(hash('c'), { userId: 'c', couponId: ID, issued_at: '2026-12-25T10:00:00.000Z', used_at: '' });
    expect(done(await run())).toMatchObject({ restore_row: 1 });
    expect(await issued()).toEqual(['a', 'b', 'c']);
    expect(await findings()).toEqual([]);
    expect(await drain()).toMatchObject({ issued: 1 });
  });

  it('records a use that another service wrote into the hash alone', async () => {
    await stores.redis.hset(hash('a'), 'used_at', '2026-12-25 10:00:00');
    await run();
    expect(await findings()).toEqual([]);
    expect(await stores.redis.hget(hash('a'), 'used_at')).toBe('2026-12-25T10:00:00.000Z');
    expect(await stores.ledger.use(ID, 'a', 'again', 'plain')).toMatchObject({ status: 'already_used' });
  });

  it('dead-letters the users who asked last when more were promised than there are coupons, and revokes none', async () => {
    // A restored Redis let three more in than there are coupons.
    await stores.redis.hset(key('coupon'), 'stock', 9);
    await admit('e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm');
    const report = await run();
    expect(report).toMatchObject({ ok: true });
    expect(done(report)).toMatchObject({ set_aside: 3 });
    expect(await stores.redis.hgetall(key('dead'))).toEqual({ k: 'over_promised', l: 'over_promised', m: 'over_promised' });
    expect(await stores.redis.hmget(key('coupon'), 'stock', 'returned')).toEqual(['0', '3']);
    expect(await drain()).toMatchObject({ issued: 8 });
    expect(await issued()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
    expect(await findings()).toEqual([]);
    const dead = { dead: redisDead(stores.connection, 'plain'), reader: stores.reader, ledger: stores.ledger, keyStyle: 'plain' };
    expect(await retryDead(dead, ID, ['k'])).toMatchObject({ users: [{ userId: 'k', outcome: 'no_stock' }] });
    expect(await dead.dead.drop(ID, (await stores.ledger.coupon(ID))!.epoch, ['k', 'l', 'm'])).toEqual(['ok', 'ok', 'ok']);
    expect(await stores.redis.hmget(key('coupon'), 'stock', 'returned')).toEqual(['0', '0']);
    expect(await findings()).toEqual([]);
  });

  it('sets aside a user whom only a dead worker’s lease still names, so that the coupon comes back into service', async () => {
    await stores.clear();
    await stores.seed({ id: ID, total: 1 });
    const { epoch } = (await stores.ledger.coupon(ID))!;
    const options = { epoch, limit: 1, leaseMs: 30_000, worker: 'w' };
    await admit('early');
    const held = await stores.claims.claim(ID, options);
    // A restored Redis knows nothing of the first one and lets a second in; then the first one's worker commits.
    await stores.redis.del(key('queue'), key('admitted'), key('leases'), key('claims'));
    await stores.redis.hset(key('coupon'), 'stock', 1);
    await admit('late');
    await stores.claims.claim(ID, options);
    await stores.ledger.issue(ID, held.status === 'ok' ? held.claims : [], { epoch, worker: 'w', timeoutMs: 10_000 });
    await stores.redis.zadd(key('leases'), 1, 'late');
    expect(await run()).toMatchObject({ ok: true });
    expect(await stores.redis.hgetall(key('dead'))).toEqual({ late: 'over_promised' });
    expect(await drain()).toMatchObject({ issued: 0, waiting: 0 });
    expect(await issued()).toEqual(['early']);
  });

  it('leaves to a person what no program may decide', async () => {
    await stores.sql(`ALTER TABLE coupons DROP CONSTRAINT coupons_total`);
    await stores.sql(`INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
      SELECT '${ID}', 'friend-' || n, now(), n, 'hand', 1, 1 FROM generate_series(1, 9) AS n`);
    await stores.redis.hset(hash('stranger'), 'userId', 'stranger');
    const report = await run();
    expect(report.ok).toBe(false);
    expect(report.plan.manual).toMatchObject([{ code: 'over_issued', couponId: ID }]);
    expect(report.after!.findings.map((found) => found.code)).toEqual(expect.arrayContaining(['over_issued', 'hash_only']));
    expect(await issued()).toHaveLength(11);
    expect(await stores.redis.exists(hash('stranger'))).toBe(1);
    await stores.sql('DELETE FROM issued_coupons');
    await stores.sql('UPDATE coupons SET issued_quantity = 0');
    await stores.sql(`ALTER TABLE coupons ADD CONSTRAINT coupons_total CHECK (issued_quantity BETWEEN 0 AND total_quantity)`);
  });

  it('may be interrupted after any of its steps and run again', async () => {
    const steps = ['markSuspect', 'index', 'bind', 'adopt', 'restoreRows', 'ack', 'requeue', 'recount', 'restore'];
    for (const step of steps) {
      await stores.clear();
      await stores.seed({ id: ID, total: 10 });
      await admit('a', 'b');
      await drain();
      await admit('c', 'd');
      await stores.redis.del(key('coupon'), key('queue'), hash('a'));
      await stores.redis.zadd(key('queue'), 1_700_000_000_000, 'z');
      await stores.sql(`DELETE FROM issued_coupons WHERE user_id = 'b'`);
      const dying = <T extends object>(port: T): T =>
        new Proxy(port, {
          get(target, name) {
            const method = Reflect.get(target, name) as unknown;
            if (name !== step || typeof method !== 'function') return method;
            return async (...args: unknown[]) => {
              await (method as (...given: unknown[]) => Promise<unknown>).apply(target, args);
              throw new Error('killed');
            };
          },
        });
      const mortal = {
        ...ports,
        redis: dying(ports.redis),
        repairs: dying(ports.repairs),
        coupons: dying(ports.coupons),
        claims: dying(ports.claims),
      };
      const [first] = await Promise.allSettled([repair(mortal, OPTIONS, { mended: () => undefined, looked: () => undefined })]);
      if (first.status === 'fulfilled') throw new Error(`no step ${step} was taken`);
      expect(await run(), step).toMatchObject({ ok: true });
      await drain();
      expect(await issued(), step).toEqual(['a', 'b', 'c', 'd', 'z']);
    }
  }, 120_000);

  it('does not disturb a live sale that it finds something in', async () => {
    await stores.clear();
    await stores.seed({ id: ID, total: 3_000 });
    const over = new AbortController();
    const running = (): boolean => !over.signal.aborted;
    const accepted: string[] = [];
    const admitting = async () => {
      for (let i = 0; i < 3_000; i += 20) {
        const users = Array.from({ length: 20 }, (_, k) => `user-${i + k}`);
        const answers = await admit(...users);
        accepted.push(...users.filter((_, k) => answers[k]!.outcome === 'accepted'));
        if (i % 200 === 0) await stores.redis.zpopmax(key('queue'));
      }
    };
    const skipped: CouponPass[] = [];
    const draining = async () => {
      while (running()) skipped.push(...[await drain()].filter((pass) => pass.skipped));
    };
    const repairing = async () => {
      while (running()) await run({ scan: false });
    };
    await Promise.all([admitting().finally(() => over.abort()), draining(), repairing()]);
    expect(skipped).toEqual([]);
    await run();
    while ((await drain()).issued > 0);
    expect(accepted).toHaveLength(3_000);
    expect(await issued()).toEqual(accepted.toSorted());
    expect(await findings()).toEqual([]);
  });
});
