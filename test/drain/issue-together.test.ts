import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Claim } from '../../src/campaign/coupon.ts';
import { issueTogether } from '../../src/drain/issue-together.ts';
import type { IssueLedger, IssueOptions, IssueResult } from '../../src/drain/ports.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => void (stores = await openStores()));
afterAll(() => stores[Symbol.asyncDispose]());

/** Users of each statement that the ledger was asked for. */
let statements: string[][];
let ledger: IssueLedger;
let options: IssueOptions;
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: '42', total: 5_000 });
  const { epoch } = (await stores.ledger.coupon('42'))!;
  options = { epoch, worker: 'w', timeoutMs: 10_000 };
  statements = [];
  ledger = {
    issue: async (couponId, claims, given) => {
      statements.push(claims.map(({ userId }) => userId));
      return await stores.ledger.issue(couponId, claims, given);
    },
  };
});

const batch = (fence: number, ...userIds: string[]): Claim[] =>
  userIds.map((userId, i) => ({ userId, score: 1_790_000_000_000_000 + fence * 1_000 + i, fence, deliveries: 1 }));
const usersOf = (result: IssueResult): string[] | string =>
  result.status === 'ok' ? result.rows.map(({ userId }) => userId).toSorted() : result.status;
const issueAll = async (
  batches: readonly Claim[][],
  change: (nth: number) => Partial<IssueOptions> = () => ({}),
  patienceMs = options.timeoutMs,
) => {
  const together = issueTogether(ledger, '42', patienceMs);
  return await Promise.all(batches.map((claims, nth) => together.issue('42', claims, { ...options, ...change(nth) })));
};

describe('batches of one coupon', () => {
  test('that come while one is issued go in with the next statement, and each is told its own rows', async () => {
    await stores.ledger.issue('42', batch(1, 'd'), options);
    const results = await issueAll([batch(2, 'a', 'b'), batch(3, 'c', 'd'), batch(4, 'e'), batch(5, 'f')]);
    expect(statements).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e', 'f'],
    ]);
    expect(results.map(usersOf)).toEqual([['a', 'b'], ['c', 'd'], ['e'], ['f']]);
    expect(await stores.sql('SELECT user_id, fence::integer FROM issued_coupons ORDER BY user_id')).toEqual([
      { user_id: 'a', fence: 2 },
      { user_id: 'b', fence: 2 },
      { user_id: 'c', fence: 3 },
      { user_id: 'd', fence: 1 },
      { user_id: 'e', fence: 4 },
      { user_id: 'f', fence: 5 },
    ]);
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 6, rows: 6, maxFence: 5 });
  });

  test('that waited too long are given back unsent: their lease may run out', async () => {
    const { issue } = ledger;
    let release = (): void => undefined;
    const locked = new Promise<void>((resolve) => (release = resolve));
    ledger.issue = async (couponId, claims, given) => {
      if (claims[0]!.userId === 'a') await locked;
      return await issue(couponId, claims, given);
    };
    const results = issueAll([batch(2, 'a'), batch(3, 'b'), batch(4, 'c')], undefined, 20);
    await delay(40);
    release();
    expect((await results).map(usersOf)).toEqual([['a'], 'ended', 'ended']);
    expect(statements).toEqual([['a']]);
  });

  test('the same user in two of them has one row, which both are told', async () => {
    const results = await issueAll([batch(2, 'a'), batch(3, 'b', 'c'), batch(4, 'c', 'd')]);
    expect(results.map(usersOf)).toEqual([['a'], ['b', 'c'], ['c', 'd']]);
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 4, rows: 4 });
  });

  test('are issued one by one where the statement that they share is refused, and only the refused one is told so', async () => {
    await stores.sql("ALTER TABLE issued_coupons ADD CONSTRAINT no_bad CHECK (user_id <> 'bad')");
    try {
      const results = await issueAll([batch(2, 'a'), batch(3, 'b'), batch(4, 'bad'), batch(5, 'c')]);
      expect(results.map(usersOf)).toEqual([['a'], ['b'], 'refused', ['c']]);
      expect(statements).toEqual([['a'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
    } finally {
      await stores.sql('ALTER TABLE issued_coupons DROP CONSTRAINT no_bad');
    }
  });

  test('stay apart for a while after one was refused, and come together again', async () => {
    await stores.sql("ALTER TABLE issued_coupons ADD CONSTRAINT no_bad CHECK (user_id <> 'bad')");
    try {
      const together = issueTogether(ledger, '42', 10_000);
      const some = async (names: string[]) =>
        await Promise.all(names.map(async (name, i) => await together.issue('42', batch(i + 2, name), options)));
      await some(['bad', 'a', 'b']);
      expect(statements.splice(0)).toEqual([['bad'], ['a'], ['b']]);
      await some(Array.from({ length: 32 }, (_, i) => `u${i}`));
      expect(statements.at(-1)).toEqual(['u30', 'u31']);
    } finally {
      await stores.sql('ALTER TABLE issued_coupons DROP CONSTRAINT no_bad');
    }
  });

  test('keep their own answer where the claim of one of them was ended', async () => {
    await stores.sql('UPDATE coupons SET min_fence = 4');
    const results = await issueAll([batch(4, 'a'), batch(3, 'b'), batch(5, 'c')]);
    expect(results.map(usersOf)).toEqual([['a'], 'ended', ['c']]);
  });

  test('of different limits, epochs or workers share no statement, and none is longer than a thousand rows', async () => {
    const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
    await issueAll([batch(2, 'a'), batch(3, 'b'), batch(4, 'c')], (nth) => (nth === 2 ? { timeoutMs: 5_000 } : {}));
    expect(statements.splice(0)).toEqual([['a'], ['b'], ['c']]);
    await issueAll([batch(2, 'd'), batch(3, ...names(600, 'x')), batch(4, ...names(400, 'y')), batch(5, 'z')]);
    expect(statements.map((users) => users.length)).toEqual([1, 1_000, 1]);
  });

  test('meet an outage together', async () => {
    const away: IssueLedger = {
      issue: async (couponId, claims, given) => {
        if (claims.length === 1) return await ledger.issue(couponId, claims, given);
        throw new Error('away');
      },
    };
    const together = issueTogether(away, '42', 10_000);
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map(async (name, i) => await together.issue('42', batch(i + 2, name), options)),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await stores.ledger.counts('42')).toMatchObject({ rows: 1 });
  });
});
