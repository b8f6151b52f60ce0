import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rdbLockAdmission } from '../../src/baselines/rdb-lock.ts';
import type { AdmissionAnswer } from '../../src/campaign/admission.ts';
import type { Database } from '../../src/stores/postgres/connection/database.ts';
import { admissionBy } from '../support/baselines.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const admitAll = async (userIds: readonly string[]): Promise<AdmissionAnswer[]> => {
  const { admission, flushed } = admissionBy('rdb-lock', stores);
  const answers = await admission.admit(
    'c',
    userIds.map((userId, n) => ({ userId, requestId: `r${n}` })),
  );
  await flushed();
  return answers;
};

test('100 users at once for 30 coupons: 30 of them get one, and are issued at once', async () => {
  await stores.seed({ id: 'c', total: 30, expiry: { kind: 'after', ms: 60_000 } });
  const users = Array.from({ length: 100 }, (_, n) => `user-${n}`);
  const answers = await admitAll(users);
  const accepted = users.filter((_, n) => answers[n]!.outcome === 'accepted');
  expect(accepted).toHaveLength(30);
  expect(answers.filter(({ outcome }) => outcome === 'sold_out')).toHaveLength(70);
  expect(await stores.ledger.counts('c')).toMatchObject({ issuedQuantity: 30, rows: 30 });
  const rows = await stores.ledger.page('c', '', 100);
  expect(rows.map((row) => row.userId)).toEqual(accepted.toSorted());
  expect(new Set(rows.map((row) => row.requestedUs)).size).toBe(30);
  for (const row of rows) {
    expect(row).toMatchObject({ worker: 'rdb-lock', fence: 0, deliveries: 1, usedAt: null, revokedAt: null });
    expect(row.expiresAt!.getTime() - row.issuedAt.getTime()).toBe(60_000);
  }
});

test('the issued coupons are copied to Redis; nothing else there changes', async () => {
  await stores.seed({ id: 'c', total: 3 });
  await admitAll(['a', 'b']);
  const [row] = await stores.ledger.rows('c', ['a']);
  expect(await stores.redis.hgetall('issued_coupon:coupon:c-user:a')).toMatchObject({
    userId: 'a',
    couponId: 'c',
    requested_at: row!.requestedAt.toISOString(),
    issued_at: row!.issuedAt.toISOString(),
    used_at: '',
  });
  expect(await stores.reader.coupon('c')).toMatchObject({ stock: 3, admitted: 0, waiting: 0, claimed: 0 });
});

test('the same user at once and later gets one coupon, and the others name the request that counts', async () => {
  await stores.seed({ id: 'c', total: 3 });
  const answers = await admitAll(['a', 'a', 'a', 'a']);
  expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['accepted', 'duplicate', 'duplicate', 'duplicate']);
  const again = await admitAll(['a']);
  expect(again).toEqual([{ ...answers.find(({ outcome }) => outcome === 'accepted'), outcome: 'duplicate' }]);
});

describe('refused', () => {
  const hour = 3_600_000;
  test.each([
    ['before the window', { opensAt: new Date(Date.now() + hour) }, 'not_open'],
    ['after the window', { closesAt: new Date(Date.now() - hour) }, 'not_open'],
    ['within the window', { opensAt: new Date(Date.now() - hour), closesAt: new Date(Date.now() + hour) }, 'accepted'],
  ])('%s', async (_, window, outcome) => {
    await stores.seed({ id: 'c', ...window });
    expect(await admitAll(['a'])).toMatchObject([{ outcome }]);
  });

  test('without such a coupon, and while it is being set up', async () => {
    expect(await admitAll(['a'])).toEqual([{ outcome: 'unknown_coupon' }]);
    await stores.seed({ id: 'c' });
    await stores.sql("UPDATE coupons SET state = 'seeding'");
    expect(await admitAll(['a'])).toEqual([{ outcome: 'unavailable' }]);
  });
});

/** The connection breaks just when the transaction has been, or was to be, committed. */
function losing(end: 'before' | 'after'): Database {
  const transaction: Database['transaction'] = async (work, ...rest) => {
    await stores.database.transaction(
      async (client) => {
        if (end === 'before') throw new Error('Connection terminated unexpectedly');
        return work(client);
      },
      ...rest,
    );
    throw new Error('Connection terminated unexpectedly');
  };
  const { database } = stores;
  return {
    transaction,
    explain: (error: unknown) => database.explain(error),
    explainCommit: (error: unknown) => database.explainCommit(error),
  } as Database;
}

test.each([
  ['after', 'unknown', 1],
  ['before', 'unavailable', 0],
] as const)('a connection lost %s the work is answered with 503 %s', async (end, code, rows) => {
  await stores.seed({ id: 'c' });
  const admission = rdbLockAdmission({ database: losing(end), onIssued: () => undefined });
  await using endpoint = await openEndpoint(stores, { admission }, { plain: true });
  expect(await endpoint.ask('c', 'a')).toMatchObject({ status: 503, body: { code } });
  expect((await stores.ledger.counts('c'))?.rows).toBe(rows);
});
