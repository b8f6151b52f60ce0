import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { repair } from '../../../src/audit/repair/repair.ts';
import { forgetUser, type ForgetPorts } from '../../../src/operate/remove/forget.ts';
import { useCoupon } from '../../../src/operate/use.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { CouponError } from '../../../src/lib/errors.ts';
import { redisForget } from '../../../src/stores/redis/forget.ts';
import { ledgerRepairs } from '../../../src/stores/postgres/ledger-repairs.ts';
import { redisRepairs } from '../../../src/stores/redis/repairs.ts';
import { everything } from '../../support/everything.ts';
import { issueWaiting } from '../../support/issue.ts';
import { beforeAndAfter, dying, type Call } from '../../support/killed.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
  for (const id of ['issued', 'waiting', 'other']) await stores.seed({ id, total: 10 });
});

const quick = { ...systemClock, sleep: async (): Promise<void> => undefined };
const ports = (): ForgetPorts => ({
  ledger: stores.ledger,
  redisOf: () => redisForget(stores.connection, 'plain'),
  clock: quick,
  newOpId: randomUUID,
  newTombstone: () => `forgotten-${randomUUID()}`,
});
const forget = (userId: string, { given = ports(), dryRun = false } = {}) => forgetUser(userId, { byWhom: 'op@shop', dryRun }, given);
const ask = (couponId: string, ...userIds: string[]) =>
  stores.admission.admit(
    couponId,
    userIds.map((userId) => ({ userId, requestId: `of-${userId}` })),
  );

/** Has one coupon, waits for another, and has a use and a text in the log; `kimchi` is somebody else. */
async function kimEverywhere(): Promise<void> {
  await ask('issued', 'ann', 'kim', 'kimchi');
  await issueWaiting(stores, 'issued');
  await useCoupon(
    { ledger: stores.ledger, hashes: stores.coupons, claims: stores.claims, keyStyle: 'plain' },
    'issued',
    'kim',
    'order-of-kim',
  );
  await stores.redis.hset('issued_coupon:coupon:issued-user:kim', 'mail', 'to kim, at home');
  await ask('waiting', 'ann', 'kim', 'kimchi');
  await ask('other', 'ann', 'kimchi');
  await stores.sql(
    `INSERT INTO operator_log (op_id, coupon_id, epoch, kind, details, version, by_whom, reason, finished_at)
     SELECT gen_random_uuid(), id, epoch, 'pause', '{}', 1, 'op', 'kim complained, kimchi did not', now() FROM coupons WHERE id = 'other'`,
  );
}

const auditPorts = () => ({ reader: stores.reader, ledger: stores.ledger, clock: quick });
const findings = async (): Promise<string[]> =>
  (await audit(auditPorts(), { couponIds: [], scan: true, keyStyle: 'plain' })).findings.map(({ code, couponId }) => `${code} ${couponId}`);
const sums = async (): Promise<unknown> => [
  await stores.sql('SELECT id, total_quantity, issued_quantity, max_fence FROM coupons ORDER BY id'),
  await stores.sql('SELECT coupon_id, requested_us, issued_at, used_at, fence FROM issued_coupons ORDER BY coupon_id, requested_us'),
  // That claims were ended is no sum.
  ...(await Promise.all(
    ['issued', 'waiting', 'other'].map(async (id) => ({ ...(await stores.redis.hgetall(`coupon:${id}`)), min_fence: '' })),
  )),
  await stores.redis.hlen('coupon_admitted:waiting'),
  (await stores.redis.zrange('coupon_waiting_queue:waiting', 0, '-1', 'WITHSCORES')).filter((_, i) => i % 2 === 1),
];
/** `kim` as a word of its own. */
const namesKim = async (): Promise<boolean> => /(?<![a-z])kim(?![a-z])/.test(await everything(stores));
const refusal = (work: Promise<unknown>): Promise<CouponError> =>
  work.then(
    () => Promise.reject(new Error('it was done')),
    (error: CouponError) => error,
  );

test('a tombstone takes the place of a user in both stores and in the log; sums, order and states stay', async () => {
  await kimEverywhere();
  const before = await sums();
  const dry = await forget('kim', { dryRun: true });
  expect(dry.coupons).toEqual([
    { couponId: 'issued', place: 'issued', outcome: 'found' },
    { couponId: 'waiting', place: 'waiting', outcome: 'found' },
  ]);
  expect(await namesKim()).toBe(true);
  expect((await forget('kim')).coupons.map(({ couponId, outcome }) => `${couponId} ${outcome}`)).toEqual(['issued done', 'waiting done']);
  expect(await namesKim()).toBe(false);
  expect(await everything(stores)).not.toContain('order-of-');
  expect(await sums()).toEqual(before);
  expect(await findings()).toEqual([]);
  expect(await everything(stores)).toContain('kimchi did not');

  const [row] = await stores.sql(`SELECT user_id FROM issued_coupons WHERE user_id LIKE 'forgotten-%'`);
  const tombstone = String(row!['user_id']);
  expect(await stores.redis.hgetall(`issued_coupon:coupon:issued-user:${tombstone}`)).toMatchObject({
    userId: tombstone,
    used_at: expect.stringContaining('T'),
    mail: `to ${tombstone}, at home`,
  });
  // Another one in each coupon, so that nobody is told apart by having both.
  expect(await stores.redis.zscore('coupon_waiting_queue:waiting', tombstone)).toBeNull();
  await issueWaiting(stores, 'waiting');
  expect(await findings()).toEqual([]);
  expect((await stores.ledger.coupon('waiting'))!.issuedQuantity).toBe(3);
  expect(await stores.ledger.changes(null, 10)).toMatchObject([
    { kind: 'forget', details: {}, byWhom: 'op@shop', finishedAt: expect.any(Date) },
    { kind: 'forget', details: {} },
    { kind: 'pause' },
  ]);
  expect((await forget('kim')).coupons).toEqual([]);
});

const CALLS = [
  'beginForget',
  ['beginForget', 2],
  'endClaims',
  ['endClaims', 2],
  'ack',
  'forget',
  ['forget', 2],
  ['forget', 3],
  ['forget', 4],
  'renameIssued',
  ['renameIssued', 2],
  'finishForget',
  ['finishForget', 2],
  'redactLog',
] as const;

describe('killed, and run again, it is finished once:', () => {
  test.each(beforeAndAfter(CALLS))('%s', async (_name, call: Call) => {
    await kimEverywhere();
    const before = await sums();
    const redis = dying(redisForget(stores.connection, 'plain'), call);
    const given = { ...ports(), ledger: dying(stores.ledger, call), redisOf: () => redis };
    expect(await refusal(forget('kim', { given }))).toMatchObject({ message: 'killed' });
    await forget('kim');
    expect(await namesKim()).toBe(false);
    expect(await sums()).toEqual(before);
    expect(await findings()).toEqual([]);
    expect((await stores.ledger.changes(null, 10)).filter(({ kind }) => kind === 'forget')).toHaveLength(2);
    expect((await stores.ledger.changes(null, 10)).every(({ finishedAt }) => finishedAt !== null)).toBe(true);
    await issueWaiting(stores, 'waiting');
    expect(await findings()).toEqual([]);
  });
});

test('while it is interrupted, a new request of the id is a duplicate, a repair leaves the coupon alone, and others are told who finishes it', async () => {
  await kimEverywhere();
  const given = { ...ports(), ledger: dying(stores.ledger, ['renameIssued', 'before']) };
  await refusal(forget('kim', { given }));
  expect((await ask('issued', 'kim'))[0]!.outcome).toBe('duplicate');
  expect(await findings()).not.toEqual([]);
  const redis = redisRepairs(stores.connection, 'plain');
  const repairPorts = { ...auditPorts(), claims: stores.claims, coupons: stores.coupons, redis, repairs: ledgerRepairs(stores.database) };
  const options = { couponIds: ['issued'], scan: true, keyStyle: 'plain', dryRun: false, confirm: true, reopen: false };
  const before = await everything(stores);
  const report = await repair(repairPorts, options, { looked: () => undefined, mended: () => undefined });
  expect(report.plan.manual.map(({ advice }) => advice)).toEqual(report.before.findings.map(() => expect.stringContaining('`forget`')));
  expect(await everything(stores)).toBe(before);
  expect(await refusal(forget('ann'))).toMatchObject({ code: 'CHANGE_UNFINISHED', fix: expect.stringContaining('forget kim --confirm') });
  await forget('kim');
  expect(await findings()).toEqual([]);
});

test('a use that comes in between is kept', async () => {
  await ask('issued', 'kim');
  await issueWaiting(stores, 'issued');
  const usePorts = { ledger: stores.ledger, hashes: stores.coupons, claims: stores.claims, keyStyle: 'plain' };
  const renameIssued: typeof stores.ledger.renameIssued = async (...args) => {
    expect(await useCoupon(usePorts, 'issued', 'kim', 'u')).toMatchObject({ status: 'used', followed: true });
    await stores.ledger.renameIssued(...args);
  };
  await forget('kim', { given: { ...ports(), ledger: { ...stores.ledger, renameIssued } } });
  expect(await namesKim()).toBe(false);
  expect(await findings()).toEqual([]);
  expect((await stores.ledger.page('issued', '', 10))[0]!.usedAt).toBeInstanceOf(Date);
});

test('a user whom a worker holds waits under the tombstone; workers that claim the same user again and again are not raced for ever', async () => {
  await ask('waiting', 'kim', 'ann');
  const epoch = (await stores.ledger.coupon('waiting'))!.epoch;
  const claim = () => stores.claims.claim('waiting', { epoch, limit: 1, leaseMs: 60_000, worker: 'w' });
  const claimAgain = async () => {
    await stores.redis.zadd('coupon_leases:waiting', 1, 'kim');
    expect(await claim()).toMatchObject({ claims: [{ userId: 'kim' }] });
  };
  const endClaims: typeof stores.ledger.endClaims = async (...args) => {
    await stores.ledger.endClaims(...args);
    await claimAgain();
  };
  expect(await refusal(forget('kim', { given: { ...ports(), ledger: { ...stores.ledger, endClaims } } }))).toMatchObject({
    code: 'USER_CLAIMED',
  });
  expect((await forget('kim')).coupons).toEqual([{ couponId: 'waiting', place: 'claimed', outcome: 'finished' }]);
  expect(await namesKim()).toBe(false);
  const [first] = await stores.redis.zrange('coupon_waiting_queue:waiting', 0, '0');
  expect(first).toMatch(/^forgotten-/);
  await issueWaiting(stores, 'waiting');
  expect(await findings()).toEqual([]);
});

test('one who was issued and not acknowledged is issued once', async () => {
  await ask('waiting', 'kim');
  const epoch = (await stores.ledger.coupon('waiting'))!.epoch;
  const claimed = await stores.claims.claim('waiting', { epoch, limit: 1, leaseMs: 60_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  await stores.ledger.issue('waiting', claimed.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
  await forget('kim');
  await issueWaiting(stores, 'waiting');
  expect(await namesKim()).toBe(false);
  expect(await findings()).toEqual([]);
  expect((await stores.ledger.coupon('waiting'))!.issuedQuantity).toBe(1);
});

test('one who is dead-lettered stays so, and the reason names nobody', async () => {
  await ask('waiting', 'kim');
  const epoch = (await stores.ledger.coupon('waiting'))!.epoch;
  const claimed = await stores.claims.claim('waiting', { epoch, limit: 1, leaseMs: 60_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  const fence = claimed.claims[0]!.fence;
  await stores.claims.bury('waiting', epoch, [{ userId: 'kim', fence, reason: 'row (kim) is refused' }]);
  await forget('kim');
  expect(await namesKim()).toBe(false);
  expect(Object.values(await stores.redis.hgetall('coupon_dead:waiting'))).toEqual([
    expect.stringMatching(/^row \(forgotten-[0-9a-f-]+\) is refused$/),
  ]);
  expect(await findings()).toEqual([]);
});

test('nothing is changed where a coupon is suspect, or the ledger refuses the tombstone', async () => {
  await kimEverywhere();
  await stores.redis.hset('coupon:waiting', 'suspect', 'fence');
  const before = await everything(stores);
  expect(await refusal(forget('kim'))).toMatchObject({ code: 'COUPON_SUSPECT', kind: 'broken' });
  expect(await everything(stores)).toBe(before);
  await stores.redis.hset('coupon:waiting', 'suspect', '');
  await stores.sql(`ALTER TABLE issued_coupons ADD CONSTRAINT short CHECK (length(user_id) < 10)`);
  const whole = await everything(stores);
  expect((await refusal(forget('kim'))).why).toContain('short');
  expect(await everything(stores)).toBe(whole);
  await stores.sql('ALTER TABLE issued_coupons DROP CONSTRAINT short');
});

describe('a user of whom part was erased by hand', () => {
  const auditExcept = async (...except: string[]): Promise<string[]> =>
    (await audit(auditPorts(), { couponIds: ['issued'], scan: true, keyStyle: 'plain', except })).findings.map(({ code }) => code);
  beforeEach(async () => {
    await ask('issued', 'ann', 'kim', 'kimchi');
    await issueWaiting(stores, 'issued');
  });

  test.each([
    ['the admission', async () => stores.redis.hdel('coupon_admitted:issued', 'kim')],
    ['the issued hash', async () => stores.redis.del('issued_coupon:coupon:issued-user:kim')],
    ['the row', async () => stores.sql(`DELETE FROM issued_coupons WHERE user_id = 'kim'`)],
    [
      'all of it',
      async () => {
        await stores.redis.hdel('coupon_admitted:issued', 'kim');
        await stores.redis.del('issued_coupon:coupon:issued-user:kim');
        await stores.sql(`DELETE FROM issued_coupons WHERE user_id = 'kim'`);
      },
    ],
  ])('can be left out of an audit: %s', async (_name, erase) => {
    await erase();
    expect(await auditExcept()).not.toEqual([]);
    expect(await auditExcept('kim')).toEqual([]);
    // Nothing else is overlooked for it.
    await stores.redis.hdel('coupon_admitted:issued', 'ann');
    expect(await auditExcept('kim')).toContain('row_without_admission');
  });

  test('is forgotten whole, and a repair makes the rest agree under the tombstone', async () => {
    await stores.redis.hdel('coupon_admitted:issued', 'kim');
    await forget('kim');
    expect(await namesKim()).toBe(false);
    const redis = redisRepairs(stores.connection, 'plain');
    const repairPorts = { ...auditPorts(), claims: stores.claims, coupons: stores.coupons, redis, repairs: ledgerRepairs(stores.database) };
    const options = { couponIds: [], scan: true, keyStyle: 'plain', dryRun: false, confirm: false, reopen: false };
    await repair(repairPorts, options, { looked: () => undefined, mended: () => undefined });
    expect(await findings()).toEqual([]);
    expect(await namesKim()).toBe(false);
  });
});
