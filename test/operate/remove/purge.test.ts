import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeCoupon } from '../../../src/operate/change.ts';
import { purgeCoupon, type PurgePorts } from '../../../src/operate/remove/purge.ts';
import type { CouponError } from '../../../src/lib/errors.ts';
import { issueWaiting } from '../../support/issue.ts';
import { beforeAndAfter, dying } from '../../support/killed.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** More than one batch. */
const USERS = 1_200;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ durable: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log, coupon_ended_epochs');
  await stores.seed({ id: 'other', total: 5 });
  await ask('other', 3);
  await issueWaiting(stores, 'other');
  await stores.seed({ id: 'c', total: 2_000 });
});

const ports = (): PurgePorts => ({
  ledger: stores.ledger,
  coupons: stores.coupons,
  reader: stores.reader,
  keyStyle: 'plain',
  newId: randomUUID,
});
const purge = ({ force = false, dryRun = false, given = ports() } = {}) =>
  purgeCoupon('c', { byWhom: 'op@shop', reason: 'over', force, dryRun }, given);
const ask = (couponId: string, count: number) =>
  stores.admission.admit(
    couponId,
    Array.from({ length: count }, (_, i) => ({ userId: `u${i}`, requestId: `r${i}` })),
  );
const close = () =>
  changeCoupon(
    'c',
    { kind: 'close', force: true },
    { byWhom: 'op', reason: null, opId: null },
    { ledger: stores.ledger, coupons: stores.coupons, keyStyle: 'plain', newOpId: randomUUID },
  );
const exported = async (rows: number): Promise<void> => {
  const coupon = (await stores.ledger.coupon('c'))!;
  await stores.ledger.noteExport(randomUUID(), coupon, { rows, format: 'csv', byWhom: 'op', begunAt: await stores.ledger.now() });
};
async function over(users: number): Promise<void> {
  for (let left = users; left > 0; left -= 1_000) {
    await ask('c', users);
    await issueWaiting(stores, 'c', users);
  }
  await close();
}
/** Keys of the coupon, and rows of it. */
const left = async (): Promise<[string[], number]> => {
  const keys = (await stores.redis.keys('*')).filter((key) => /:c(-|$)/.test(key));
  const [row] = await stores.sql(`SELECT count(*)::integer AS n FROM issued_coupons WHERE coupon_id = 'c'`);
  return [keys.toSorted(), Number(row!['n'])];
};
const refusal = (work: Promise<unknown>): Promise<CouponError> =>
  work.then(
    () => Promise.reject(new Error('it was done')),
    (error: CouponError) => error,
  );

test('a closed and exported coupon goes from both stores; the log and the other coupons stay', async () => {
  await over(USERS);
  await exported(USERS);
  expect(await purge({ dryRun: true })).toEqual({ couponId: 'c', rows: USERS, outcome: 'planned' });
  expect((await left())[1]).toBe(USERS);
  expect(await purge()).toEqual({ couponId: 'c', rows: USERS, outcome: 'done' });
  expect(await left()).toEqual([[], 0]);
  expect(await stores.ledger.coupon('c')).toBeNull();
  expect(await stores.redis.smembers('coupon_index')).toEqual(['other']);
  expect(await stores.redis.hlen('coupon_admitted:other')).toBe(3);
  expect(await stores.ledger.counts('other')).toMatchObject({ rows: 3 });
  expect((await stores.ledger.changes('c', 10))[0]).toMatchObject({
    kind: 'purge',
    details: { rows: USERS },
    byWhom: 'op@shop',
    reason: 'over',
    finishedAt: expect.any(Date),
  });
  expect(await purge()).toMatchObject({ rows: USERS, outcome: 'unchanged' });
  // The id is free again, and a purge of before is none of the new coupon.
  await stores.seed({ id: 'c', total: 5 });
  expect(await refusal(purge())).toMatchObject({ code: 'COUPON_OPEN' });
});

const CALLS = [
  'beginPurge',
  'retire',
  'dropIssued',
  ['dropIssued', 2],
  'deleteIssued',
  ['deleteIssued', 3],
  'drop',
  'finishPurge',
] as const;

describe('killed, and run again, it goes on, and is done once:', () => {
  test.each(beforeAndAfter(CALLS))('%s', async (_name, call) => {
    await over(USERS);
    await exported(USERS);
    const given = { ...ports(), ledger: dying(stores.ledger, call), coupons: dying(stores.coupons, call) };
    expect(await refusal(purge({ given }))).toMatchObject({ message: 'killed' });
    const [entry] = await stores.ledger.changes('c', 1);
    const expected = entry!.kind !== 'purge' ? 'done' : entry!.finishedAt ? 'unchanged' : 'finished';
    expect(await purge()).toEqual({ couponId: 'c', rows: USERS, outcome: expected });
    expect(await left()).toEqual([[], 0]);
    expect(await stores.ledger.coupon('c')).toBeNull();
    const purges = (await stores.ledger.changes('c', 10)).filter(({ kind }) => kind === 'purge');
    expect(purges).toMatchObject([{ details: { rows: USERS }, finishedAt: expect.any(Date) }]);
  });
});

test('it is refused while the coupon is open or suspect, or users wait or are dead', async () => {
  expect(await refusal(purge())).toMatchObject({ code: 'COUPON_OPEN', kind: 'usage' });
  await ask('c', 2);
  await close();
  expect(await refusal(purge({ force: true }))).toMatchObject({ code: 'USERS_WAITING', message: '2 accepted users wait for coupon c' });
  await issueWaiting(stores, 'c');
  await stores.redis.hset('coupon_dead:c', 'u9', 'refused');
  expect(await refusal(purge({ force: true }))).toMatchObject({ code: 'USERS_WAITING', message: expect.stringContaining('dead-lettered') });
  await stores.redis.del('coupon_dead:c');
  await stores.redis.hset('coupon:c', 'suspect', 'fence');
  expect(await refusal(purge({ force: true }))).toMatchObject({ code: 'COUPON_SUSPECT', kind: 'broken' });
  await stores.redis.hset('coupon:c', 'suspect', '');
  expect((await left())[1]).toBe(2);
});

test('a coupon whose window is over need not be closed by hand', async () => {
  await stores.seed({ id: 'past', total: 5, closesAt: new Date('2020-01-01T00:00:00Z') });
  const options = { byWhom: 'op', reason: null, force: false, dryRun: false };
  expect(await purgeCoupon('past', options, ports())).toMatchObject({ outcome: 'done', rows: 0 });
});

test('it is refused until an export has every row; --force does without', async () => {
  await over(3);
  expect(await refusal(purge())).toMatchObject({ code: 'NOT_EXPORTED', fix: expect.stringContaining('export c --out c.csv') });
  await exported(2);
  expect(await refusal(purge())).toMatchObject({ code: 'NOT_EXPORTED' });
  const begunAt = new Date(Date.now() - 3_600_000);
  await stores.ledger.noteExport(randomUUID(), (await stores.ledger.coupon('c'))!, { rows: 3, format: 'csv', byWhom: 'op', begunAt });
  expect(await refusal(purge())).toMatchObject({ code: 'NOT_EXPORTED' });
  expect(await purge({ force: true })).toMatchObject({ outcome: 'done', rows: 3 });
});
