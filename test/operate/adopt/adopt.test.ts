import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { CouponError } from '../../../src/lib/errors.ts';
import type { AdoptOptions, AdoptPorts } from '../../../src/operate/adopt/adopt.ts';
import { adoptIn, adoptPorts } from '../../support/adopt.ts';
import { ASKED } from '../../support/foreign-coupon.ts';
import { issueWaiting } from '../../support/issue.ts';
import { beforeAndAfter, dying } from '../../support/killed.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** More than one step of each kind. */
const WAITING = 450;
const ISSUED = 450;
const TOTAL = 1_000;

const OWN = { hashKey: 'shop:{id}', queueKey: 'shop:queue:{id}', issuedKey: 'shop:issued:{id}:{user}' };
const PLACES = [
  ["the report's keys", {}],
  ['keys of its own', OWN],
] as const;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ durable: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
});

const ports = (): AdoptPorts => adoptPorts(stores);
const adopt = (options: Partial<AdoptOptions> = {}, given = ports()) => adoptIn(stores, 'c', options, given);
const refusal = (work: Promise<unknown>): Promise<CouponError> =>
  work.then(
    () => Promise.reject(new Error('it was done')),
    (error: CouponError) => error,
  );
const keysOf = (templates: Partial<typeof OWN>) => ({
  hash: templates.hashKey ? 'shop:c' : 'coupon:c',
  queue: templates.queueKey ? 'shop:queue:c' : 'coupon_waiting_queue:c',
  issued: (user: string) => (templates.issuedKey ? `shop:issued:c:${user}` : `issued_coupon:coupon:c-user:${user}`),
});

/** Half of the members in quotes. One user who has a coupon waits all the same. */
async function foreign(templates: Partial<typeof OWN>): Promise<void> {
  const keys = keysOf(templates);
  await stores.redis.hset(keys.hash, { name: 'Shop', total: TOTAL, stock: TOTAL - WAITING - ISSUED });
  const commands = stores.redis.pipeline();
  for (let i = 0; i < WAITING; i += 1) commands.zadd(keys.queue, ASKED + i, i % 2 === 0 ? `w${i}` : `"w${i}"`);
  commands.zadd(keys.queue, ASKED, '"i0"');
  for (let i = 0; i < ISSUED; i += 1)
    commands.hset(keys.issued(`i${i}`), { userId: `i${i}`, used_at: i % 3 === 0 ? '2025-12-02T03:04:05Z' : 'null' });
  await commands.exec();
}

async function expectWhole(): Promise<void> {
  const report = await audit(
    { reader: stores.reader, ledger: stores.ledger, clock: systemClock },
    { couponIds: ['c'], scan: true, keyStyle: 'plain' },
  );
  expect(report).toMatchObject({
    ok: true,
    coupons: [{ stock: TOTAL - WAITING - ISSUED, waiting: WAITING, claimed: 0, dead: 0, issued: ISSUED }],
  });
  expect(await stores.ledger.coupon('c')).toMatchObject({ state: 'ready', total: TOTAL, issuedQuantity: ISSUED });
  const used = await stores.sql(`SELECT count(*)::integer AS n FROM issued_coupons WHERE used_at = '2025-12-02T03:04:05Z'`);
  expect(used).toEqual([{ n: ISSUED / 3 }]);
  const log = await stores.ledger.changes('c', 10);
  expect(log).toMatchObject([{ kind: 'adopt', byWhom: 'op@shop', finishedAt: expect.any(Date) }]);
}

const CALLS = [
  'startAdopting',
  'index',
  'bind',
  'takeOver',
  ['takeOver', 2],
  'restoreRows',
  ['restoreRows', 2],
  'adopt',
  'ack',
  ['ack', 3],
  'rehash',
  ['rehash', 2],
  'finishAdoption',
  'finishAdopting',
] as const;

describe.each(PLACES)('with %s', (_name, templates) => {
  test('a dry run and its run say the same', async () => {
    await foreign(templates);
    const dry = await adopt({ templates, dryRun: true });
    const done = await adopt({ templates });
    expect([dry.outcome, done.outcome]).toEqual(['planned', 'adopted']);
    expect(done.plan).toEqual(dry.plan);
    await expectWhole();
  });

  describe('killed, and run again, it goes on, and is done once:', () => {
    test.each(beforeAndAfter(CALLS))('%s', async (_call, call) => {
      await foreign(templates);
      const given = { ...ports(), store: dying(ports().store, call), ledger: dying(ports().ledger, call) };
      expect(await refusal(adopt({ templates }, given))).toMatchObject({ message: 'killed' });
      const state = (await stores.ledger.coupon('c'))?.state ?? 'none';
      const outcome = await adopt({ templates }).then(
        (result) => result.outcome,
        (error: CouponError) => error.code,
      );
      expect(outcome).toBe({ none: 'adopted', adopting: 'finished', ready: 'ALREADY_IN_LEDGER' }[state as string]);
      await expectWhole();
    });
  });
});

test('while it is not finished nobody is admitted, claimed or issued, and the service may go on', async () => {
  await foreign({});
  const call = ['finishAdoption', 'before'] as const;
  expect(await refusal(adopt({}, { ...ports(), store: dying(ports().store, call) }))).toMatchObject({ message: 'killed' });
  expect(await stores.admission.admit('c', [{ userId: 'new', requestId: 'r' }])).toMatchObject([{ outcome: 'unavailable' }]);
  expect(await refusal(adopt({ total: TOTAL + 5, stock: TOTAL - WAITING - ISSUED + 5 }))).toMatchObject({ code: 'ADOPTION_CHANGED' });
  // The service takes one more, before the command is run again.
  await stores.redis.hincrby('coupon:c', 'stock', -1);
  await stores.redis.zadd('coupon_waiting_queue:c', String(ASKED + 9_000), 'late');
  expect((await adopt()).plan).toMatchObject({ waiting: WAITING + 1, stock: TOTAL - WAITING - ISSUED - 1 });
  expect(await stores.redis.zrange('coupon_waiting_queue:c', -1, '-1')).toEqual(['late']);
});

test('a user whom the service takes meanwhile is neither lost nor given away', async () => {
  await foreign({});
  const { store } = ports();
  const meanwhile: typeof store = {
    ...store,
    finishAdoption: async (...args) => {
      await stores.redis.hincrby('coupon:c', 'stock', -1);
      await stores.redis.zadd('coupon_waiting_queue:c', String(Date.now()), 'late');
      return store.finishAdoption(...args);
    },
  };
  await adopt({}, { ...ports(), store: meanwhile });
  expect(await stores.redis.hget('coupon:c', 'stock')).toBe(String(TOTAL - WAITING - ISSUED - 1));
  await issueWaiting(stores, 'c', 1_000);
  const report = await audit(
    { reader: stores.reader, ledger: stores.ledger, clock: systemClock },
    { couponIds: ['c'], scan: true, keyStyle: 'plain' },
  );
  expect(report).toMatchObject({ ok: true, coupons: [{ issued: WAITING + ISSUED + 1 }] });
});

test('of keys of its own, too: whoever the service takes after the look has a coupon here, and there is one less', async () => {
  await foreign(OWN);
  const { ledger } = ports();
  const startAdopting: typeof ledger.startAdopting = async (...args) => {
    await stores.redis.zadd('shop:queue:c', String(Date.now()), 'late');
    return ledger.startAdopting(...args);
  };
  await adopt({ templates: OWN }, { ...ports(), ledger: { ...ledger, startAdopting } });
  expect(await stores.redis.hget('coupon:c', 'stock')).toBe(String(TOTAL - WAITING - ISSUED - 1));
  await issueWaiting(stores, 'c', 1_000);
  const report = await audit(
    { reader: stores.reader, ledger: stores.ledger, clock: systemClock },
    { couponIds: ['c'], scan: true, keyStyle: 'plain' },
  );
  expect(report).toMatchObject({ ok: true, coupons: [{ issued: WAITING + ISSUED + 1 }] });
});

test('two at once do it once', async () => {
  await foreign({});
  const both = await Promise.all(
    [adopt(), adopt()].map((one) =>
      one.then(
        ({ outcome }) => outcome,
        (error: CouponError) => error.code,
      ),
    ),
  );
  expect(['adopted', 'finished']).toContain(both.find((one) => one !== 'ALREADY_IN_LEDGER'));
  await expectWhole();
});

test('one that was finished elsewhere meanwhile changes nothing any more', async () => {
  await foreign(OWN);
  const templates = OWN;
  for (const name of ['bind', 'takeOver', 'finishAdoption'] as const) {
    await stores.clear();
    await stores.sql('TRUNCATE operator_log');
    await foreign(OWN);
    const store = ports().store;
    const call = store[name] as (...args: unknown[]) => Promise<unknown>;
    let answered = false;
    const late = {
      ...store,
      [name]: async (...args: unknown[]) => {
        if (!answered) {
          answered = true;
          await adopt({ templates });
          // Whom this program has admitted since is not promised a second time.
          await stores.admission.admit('c', [{ userId: 'new', requestId: 'r' }]);
        }
        return call(...args);
      },
    };
    await adopt({ templates }, { ...ports(), store: late });
    expect(await stores.redis.hget('coupon:c', 'stock')).toBe(String(TOTAL - WAITING - ISSUED - 1));
  }
});
