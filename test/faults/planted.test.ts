import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { seed } from '../../src/operate/seed.ts';
import { redisAdmission } from '../../src/stores/redis/admission.ts';
import { redisClaims } from '../../src/stores/redis/claims.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { redisReader } from '../../src/stores/redis/reader.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { drained } from './campaign.ts';
import { judgeLoss } from './loss-oracle.ts';
import { judge, type Subject } from './oracle.ts';
import { BATCH, COUPON, load, oracle, worker } from './planted-load.ts';
import { claimAndDie, popThenInsert, resendingAdmission } from './planted.ts';
import { startRedis } from './servers/redis.ts';
import { findCompiler } from './servers/shims.ts';

const NEVER_MS = 24 * 3_600_000;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
beforeEach(() => stores.clear());
afterAll(() => stores[Symbol.asyncDispose]());

async function waitingUsers(): Promise<number> {
  return (await stores.claims.backlog(COUPON)).waiting;
}

/** Two looks find the same users. */
async function isQuiet(): Promise<boolean> {
  const before = await waitingUsers();
  await delay(200);
  return (await waitingUsers()) === before;
}

test.for([
  { of: 'a second', leaseMs: 1_000, patienceMs: 30_000, found: false },
  { of: 'a day', leaseMs: NEVER_MS, patienceMs: 3_000, found: true },
])('a worker that is killed with a lease of $of: users who never get on are found: $found', async ({ leaseMs, patienceMs, found }) => {
  await stores.seed({ id: COUPON, total: 1_000 });
  await using endpoint = await openEndpoint(stores);
  const subject = await load(endpoint, 1_000, async () => {
    await until(async () => (await waitingUsers()) > BATCH);
    await claimAndDie(stores, COUPON, BATCH, leaseMs);
  });
  const sound = worker(stores);
  const left = await drained(stores, subject, patienceMs);
  await sound.stop();
  const verdict = await judge(subject, oracle(stores));
  expect(left).toHaveLength(found ? 1 : 0);
  expect(verdict.broken.some((line) => line.includes('NOT_SETTLED'))).toBe(found);
  expect(verdict.counts.lost).toBe(found ? BATCH : 0);
});

test('a worker that pops, then inserts, and is killed in between: users are lost', async () => {
  await stores.seed({ id: COUPON, total: 1_000 });
  await using endpoint = await openEndpoint(stores);
  let popped: string[] = [];
  const subject = await load(endpoint, 1_000, async () => {
    await until(async () => (await waitingUsers()) > BATCH);
    popped = await popThenInsert(stores, COUPON, BATCH, true);
  });
  await until(async () => (await popThenInsert(stores, COUPON, BATCH, false)).length === 0);
  expect(await drained(stores, subject)).toEqual([]);
  const verdict = await judge(subject, oracle(stores));
  expect(verdict.counts.lost).toBe(popped.length);
  expect(verdict.broken.join('\n')).toMatch(/ACCEPTED_NOT_ISSUED/);
  expect(verdict.broken.join('\n')).toMatch(/audit ended with 4.*"lost"/);

  // To blame it on a blow, the blow must have taken them all.
  const blow = { noticed: [null], atUs: Number.POSITIVE_INFINITY, openUs: Number.POSITIVE_INFINITY };
  const [spared, ...taken] = popped;
  const notAll = await judgeLoss(subject, oracle(stores), { ...blow, destroyed: [new Set(taken)] });
  expect(notAll.broken.join('\n')).toMatch(new RegExp(`ACCEPTED_NOT_ISSUED, 1 .*: ${spared}\\b`));
  const all = await judgeLoss(subject, oracle(stores), { ...blow, destroyed: [new Set(popped)] });
  expect(all.broken.join('\n')).not.toMatch(/ACCEPTED_NOT_ISSUED/);
});

/** Users are promised forty coupons more than there are. */
async function stockRaised(total: number): Promise<Subject> {
  await using endpoint = await openEndpoint(stores);
  return await load(endpoint, total, async (asked) => {
    await stores.redis.hincrby(`coupon:${COUPON}`, 'stock', 40);
    await until(() => asked() > total + 60);
  });
}

test('stock raised by a foreign hand, and no guard in the ledger: more are issued than there are', async () => {
  await stores.seed({ id: COUPON, total: 50 });
  await stores.sql('ALTER TABLE coupons DROP CONSTRAINT coupons_total');
  onTestFinished(async () => {
    await stores.clear();
    await stores.sql('ALTER TABLE coupons ADD CONSTRAINT coupons_total CHECK (issued_quantity BETWEEN 0 AND total_quantity)');
  });
  const subject = await stockRaised(50);
  const sound = worker(stores);
  expect(await drained(stores, subject)).toEqual([]);
  await sound.stop();
  const { broken, counts } = await judge(subject, oracle(stores));
  expect(counts.overIssued).toBe(40);
  expect(broken.join('\n')).toMatch(/LEDGER_OVER_TOTAL/);
});

test('stock raised by a foreign hand, and the guard in place: the total holds, and the coupon goes out of service', async () => {
  await stores.seed({ id: COUPON, total: 50 });
  const subject = await stockRaised(50);
  const sound = worker(stores);
  await until(async () => (await stores.reader.coupon(COUPON))!.suspect !== '');
  await sound.stop();
  const { broken } = await judge(subject, oracle(stores));
  expect((await stores.ledger.counts(COUPON))!.rows).toBeLessThanOrEqual(50);
  expect((await stores.reader.coupon(COUPON))!.suspect).toBe('coupons_total');
  expect(broken.join('\n')).not.toMatch(/LEDGER_OVER_TOTAL/);
});

test.for([
  { whose: 'ioredis as it comes', found: true },
  { whose: 'this program', found: false },
])('replies of Redis are lost by $whose: false "duplicate" is found: $found', async ({ found }) => {
  await stores.seed({ id: COUPON, total: 1_000 });
  await using link = await openProxy(stores.redisUrl);
  const connection = await openRedis({ url: link.through(stores.redisUrl), reconnect: true });
  onTestFinished(() => connection.close());
  using resending = resendingAdmission(link.through(stores.redisUrl), connection.runOf(''));
  const admission = found ? resending : redisAdmission(connection, 'plain');
  await using endpoint = await openEndpoint(stores, { admission }, { plain: found });
  const subject = await load(endpoint, 1_000, async (asked) => {
    await until(() => asked() > 50);
    link.holdReplies();
    const before = await waitingUsers();
    // Ours has two batches under way at most: they are in Redis when nothing more comes.
    await until(async () => (await waitingUsers()) > before + 10 || (!found && (await isQuiet())));
    link.dropReplies();
    await until(() => asked() > 150);
  });
  const sound = worker(stores);
  expect(await drained(stores, subject)).toEqual([]);
  await sound.stop();
  const { broken } = await judge(subject, oracle(stores));
  expect(broken.some((line) => line.includes('asked under one key and was told "duplicate"'))).toBe(found);
  expect(broken.length > 0).toBe(found);
});

test.for([
  { memory: 'that forgets the users whom it read', found: true },
  { memory: 'of this program', found: false },
])('refusals from a memory $memory: an accepted user told "sold_out" is found: $found', async ({ found }) => {
  await stores.seed({ id: COUPON, total: 60 });
  const forgetful: TestStores['refusals'] = {
    ...stores.refusals,
    async *knownUsers() {
      yield [];
    },
  };
  await using endpoint = await openEndpoint(stores, found ? { refusals: forgetful } : {});
  const subject = await load(endpoint, 60, async (asked) => {
    await until(() => asked() > 60);
    // Those who ask again do so within two seconds.
    const soldOutAt = asked();
    await until(() => asked() > soldOutAt + 300);
  });
  const sound = worker(stores);
  expect(await drained(stores, subject)).toEqual([]);
  await sound.stop();
  const { broken } = await judge(subject, oracle(stores));
  expect(broken.some((line) => line.includes('was accepted and then told "sold_out"'))).toBe(found);
  expect(broken.length > 0).toBe(found);
});

/** Redis is killed, loses a file and is drained anew; on a machine that does other things, too. */
const SLOW_MS = 180_000;

test.skipIf(findCompiler() === null)(
  'a loss of power under everysec, where always was believed: users are lost',
  async () => {
    await using redis = await startRedis();
    const connection = await openRedis({ url: redis.url, reconnect: true });
    onTestFinished(() => connection.close());
    const own: TestStores = {
      ...stores,
      redisUrl: redis.url,
      admission: redisAdmission(connection, 'plain'),
      claims: redisClaims(connection, 'plain'),
      coupons: redisCoupons(connection, 'plain'),
      reader: redisReader(connection, 'plain'),
    };
    const definition = { id: COUPON, name: 'Test', total: 1_000, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
    await seed(definition, { ledger: own.ledger, coupons: own.coupons, newEpoch: randomUUID, keyStyle: 'plain' });
    await using endpoint = await openEndpoint(own);
    await redis.holdRewrites();
    const subject = await load(endpoint, 1_000, async (asked) => {
      await until(() => asked() > 50);
      await redis.admin.config('SET', 'appendfsync', 'everysec');
      redis.setFsyncDelay(NEVER_MS);
      await until(() => asked() > 200);
    });
    await redis.kill();
    redis.setFsyncDelay(0);
    expect(redis.loseUnsynced()).toBeGreaterThan(0);
    await redis.start();
    await until(async () => (await own.reader.coupon(COUPON).catch(() => null)) !== null);
    const sound = worker(own);
    expect(await drained(own, subject)).toEqual([]);
    await sound.stop();
    const verdict = await judge(subject, oracle(own));
    expect(verdict.counts.lost).toBeGreaterThan(0);
    expect(verdict.broken.join('\n')).toMatch(/ACCEPTED_NOT_ISSUED/);
  },
  SLOW_MS,
);
