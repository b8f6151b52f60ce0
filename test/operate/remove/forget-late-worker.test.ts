import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { drainPass } from '../../../src/drain/pass.ts';
import type { DrainPorts } from '../../../src/drain/ports.ts';
import type { CouponPass } from '../../../src/drain/coupon-pass.ts';
import { forgetUser, type ForgetPorts } from '../../../src/operate/remove/forget.ts';
import { redisForget } from '../../../src/stores/redis/forget.ts';
import { everything } from '../../support/everything.ts';
import { issueWaiting } from '../../support/issue.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
  await stores.seed({ id: 'c', total: 10 });
});

const ask = (...userIds: string[]) =>
  stores.admission.admit(
    'c',
    userIds.map((userId) => ({ userId, requestId: `of-${userId}` })),
  );
const quick = { ...systemClock, sleep: async (): Promise<void> => undefined };
const ports = (): ForgetPorts => ({
  ledger: stores.ledger,
  redisOf: () => redisForget(stores.connection, 'plain'),
  clock: quick,
  newOpId: randomUUID,
  newTombstone: () => `forgotten-${randomUUID()}`,
});
const forget = (given = ports()) => forgetUser('kim', { byWhom: 'op', dryRun: false }, given);

/** A drain that stands still before one of its calls, until it goes on. */
interface PausedDrain {
  goOn(): Promise<CouponPass>;
}

function signal(): [Promise<void>, () => void] {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [given, give];
}

async function pauseDrain(before: 'issue' | 'ack' | 'bury', given: Partial<DrainPorts> = {}): Promise<PausedDrain> {
  const [paused, pause] = signal();
  const [gone, go] = signal();
  const stand = <A extends unknown[], R>(name: typeof before, call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (name !== before) return call(...args);
      pause();
      await gone;
      return call(...args);
    };
  };
  const { claims, ledger, coupons }: DrainPorts = { claims: stores.claims, ledger: stores.ledger, coupons: stores.coupons, ...given };
  const pass = drainPass(
    {
      claims: { ...claims, ack: stand('ack', claims.ack), bury: stand('bury', claims.bury) },
      ledger: { ...ledger, issue: stand('issue', ledger.issue) },
      coupons,
    },
    { couponIds: ['c'], batch: 10, leaseMs: 30_000, worker: `late-${randomUUID()}`, keyStyle: 'plain', scan: false },
    new AbortController().signal,
  );
  await Promise.race([paused, pass]);
  return {
    async goOn() {
      go();
      return (await pass)[0]!;
    },
  };
}

/** As if the time of the lease had passed. */
const endLeases = async (): Promise<void> => {
  for (const userId of await stores.redis.zrange('coupon_leases:c', 0, '-1')) await stores.redis.zadd('coupon_leases:c', 1, userId);
};

/** How many coupons are issued once everybody is served; both stores agree, and nothing names the old id. */
async function issuedWithoutKim(): Promise<number> {
  await issueWaiting(stores, 'c');
  expect(/(?<![a-z])kim(?![a-z])/.exec(await everything(stores))).toBeNull();
  const report = await audit(
    { reader: stores.reader, ledger: stores.ledger, clock: quick },
    { couponIds: [], scan: true, keyStyle: 'plain' },
  );
  expect(report.findings.map(({ code }) => code)).toEqual([]);
  return (await stores.ledger.coupon('c'))!.issuedQuantity;
}

test('a worker whose lease is over does not issue under the old id of one who was forgotten meanwhile', async () => {
  await ask('ann', 'kim', 'joe');
  const late = await pauseDrain('issue');
  await endLeases();
  await forget();
  expect(await late.goOn()).toMatchObject({ issued: 0, dead: 0 });
  expect(await issuedWithoutKim()).toBe(3);
});

test('nor does it where another worker has issued, acknowledged, and was forgotten about since', async () => {
  await ask('ann', 'kim', 'joe');
  const late = await pauseDrain('issue');
  await endLeases();
  await issueWaiting(stores, 'c');
  await forget();
  expect(await late.goOn()).toMatchObject({ issued: 0, dead: 0 });
  expect(await issuedWithoutKim()).toBe(3);
});

test('nor while the command is between the stores', async () => {
  await ask('ann', 'kim', 'joe');
  const late = await pauseDrain('issue');
  await endLeases();
  const renameIssued: typeof stores.ledger.renameIssued = async (...args) => {
    await issueWaiting(stores, 'c');
    expect(await late.goOn()).toMatchObject({ issued: 0 });
    await stores.ledger.renameIssued(...args);
  };
  await forget({ ...ports(), ledger: { ...stores.ledger, renameIssued } });
  expect(await issuedWithoutKim()).toBe(3);
});

test('nor does it acknowledge under the old id what it has issued before', async () => {
  await ask('ann', 'kim', 'joe');
  const late = await pauseDrain('ack');
  await endLeases();
  await forget();
  await late.goOn();
  expect(await issuedWithoutKim()).toBe(3);
});

test('nor does it dead-letter the old id', async () => {
  await ask('ann', 'kim', 'joe');
  const issue: typeof stores.ledger.issue = async (couponId, claims, options) =>
    claims.length > 1 || claims[0]!.userId === 'kim'
      ? { status: 'refused', scope: 'row', reason: '23514 kim is refused' }
      : stores.ledger.issue(couponId, claims, options);
  const late = await pauseDrain('bury', { ledger: { ...stores.ledger, issue } });
  await endLeases();
  await forget();
  await late.goOn();
  expect(await issuedWithoutKim()).toBe(3);
});

test('users whom a worker holds beside the one who is forgotten are issued with the next claim, and nobody is to blame', async () => {
  await ask('ann', 'kim', 'joe');
  const live = await pauseDrain('issue');
  await forget();
  expect(await live.goOn()).toMatchObject({ issued: 0, released: 2, dead: 0 });
  expect(await stores.redis.exists('coupon_dead:c')).toBe(0);
  expect(await issuedWithoutKim()).toBe(3);
});
