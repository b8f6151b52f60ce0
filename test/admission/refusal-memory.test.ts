import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Refusals } from '../../src/admission/ports.ts';
import { RefusalMemory } from '../../src/admission/refusal-memory.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const ask = (userId: string) => ({ userId, requestId: `of ${userId}` });

/** One process: its memory, and what it learns from. */
function openProcess(refusals: Refusals = stores.refusals): { memory: RefusalMemory; admission: Admission; faults: unknown[] } {
  const faults: unknown[] = [];
  const memory = new RefusalMemory(refusals, { now: () => performance.now(), onFault: (error) => faults.push(error) });
  return { memory, admission: memory.learningFrom(stores.admission), faults };
}

/** Looks happen when requests come, so they keep coming. */
const refused = (memory: RefusalMemory, outcome: string, userId = 'stranger') =>
  until(() => memory.refusalOf('42', userId)?.outcome === outcome, 5_000);
const asked = (memory: RefusalMemory, userId = 'stranger') => until(() => memory.refusalOf('42', userId) === null, 5_000);

async function soldOut({ memory, admission }: { memory: RefusalMemory; admission: Admission }, total = 3): Promise<void> {
  await stores.seed({ id: '42', total });
  await admission.admit(
    '42',
    Array.from({ length: total + 1 }, (_, i) => ask(`user-${i}`)),
  );
  await refused(memory, 'sold_out');
}

describe('a coupon that is sold out', () => {
  test('refuses strangers from memory, and asks Redis about every user that it accepted', async () => {
    const process = openProcess();
    await soldOut(process, 2_000);
    const known = Array.from({ length: 2_000 }, (_, i) => process.memory.refusalOf('42', `user-${i}`));
    expect(new Set(known)).toEqual(new Set([null]));
    const strangers = Array.from({ length: 2_000 }, (_, i) => process.memory.refusalOf('42', `stranger-${i}`)?.outcome);
    expect(new Set(strangers)).toEqual(new Set(['sold_out']));
  });

  test('is nothing to a process that has not been refused', async () => {
    await soldOut(openProcess());
    expect(openProcess().memory.refusalOf('42', 'stranger')).toBeNull();
  });

  test('asks Redis about users that another service queued and nobody adopted', async () => {
    const process = openProcess();
    await stores.seed({ id: '42', total: 1 });
    await stores.redis.zadd('coupon_waiting_queue:42', Date.now() * 1_000, 'kim');
    await process.admission.admit('42', [ask('a'), ask('b')]);
    await refused(process.memory, 'sold_out');
    expect(process.memory.refusalOf('42', 'kim')).toBeNull();
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a coupon that was given back', () => stores.redis.hincrby('coupon:42', 'stock', 1)],
    ['a reset', () => stores.redis.del('coupon:42')],
    ['a suspicion', () => stores.redis.hset('coupon:42', 'suspect', 'why')],
    ['a check that is due', () => stores.redis.hset('coupon:42', 'run', 'another server')],
    ['a window that another program wrote', () => stores.redis.hset('coupon:42', 'opens_at', 'tomorrow')],
    ['a key of another type', () => stores.redis.pipeline().del('coupon_admitted:42').set('coupon_admitted:42', 'x').exec()],
  ])('asks Redis again after %s, in every process', async (_what, change) => {
    const processes = [openProcess(), openProcess()] as const;
    await soldOut(processes[0]);
    await processes[1].admission.admit('42', [ask('late')]);
    await refused(processes[1].memory, 'sold_out');
    await change();
    await Promise.all(processes.map(({ memory }) => asked(memory)));
    expect(processes.map(({ memory }) => memory.refusalOf('42', 'stranger'))).toEqual([null, null]);
  });

  test('knows the users who were accepted after stock came back', async () => {
    const [one, other] = [openProcess(), openProcess()];
    await soldOut(one);
    await stores.redis.hincrby('coupon:42', 'stock', 1);
    await asked(one.memory);
    expect((await other.admission.admit('42', [ask('lucky'), ask('late')])).map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'sold_out',
    ]);
    // The first process sees nothing but the outcome in Redis.
    await one.admission.admit('42', [ask('later')]);
    await refused(one.memory, 'sold_out');
    expect(one.memory.refusalOf('42', 'lucky')).toBeNull();
  });

  test('is asked for in Redis when no look succeeded for 200 ms', async () => {
    let hangs = false;
    const process = openProcess({
      ...stores.refusals,
      refusal: (couponId) => (hangs ? new Promise(() => undefined) : stores.refusals.refusal(couponId)),
    });
    await soldOut(process);
    hangs = true;
    await sleep(201);
    expect(process.memory.refusalOf('42', 'stranger')).toBeNull();
  });

  test('a user who is accepted while the users are read is known, or nobody is', async () => {
    let between: (() => Promise<void>) | null = async () => {
      await stores.redis.hincrby('coupon:42', 'stock', 1);
      await stores.admission.admit('42', [ask('lucky')]);
    };
    const process = openProcess({
      ...stores.refusals,
      async *knownUsers(couponId) {
        yield* stores.refusals.knownUsers(couponId);
        const change = between;
        between = null;
        await change?.();
      },
    });
    await soldOut(process);
    expect(between).toBeNull();
    expect(process.memory.refusalOf('42', 'lucky')).toBeNull();
  });

  test('forgets its users when a look fails: others may be accepted until the next one', async () => {
    let fails = false;
    const process = openProcess({
      ...stores.refusals,
      refusal: (couponId) => (fails ? Promise.reject(new Error('away')) : stores.refusals.refusal(couponId)),
    });
    await soldOut(process);
    fails = true;
    await asked(process.memory);
    await until(() => process.faults.length > 0);
    await stores.redis.hincrby('coupon:42', 'stock', 1);
    await stores.admission.admit('42', [ask('lucky')]);
    fails = false;
    await refused(process.memory, 'sold_out');
    expect(process.memory.refusalOf('42', 'lucky')).toBeNull();
  });

  test('a look that fails is told, and Redis is asked', async () => {
    const process = openProcess({ ...stores.refusals, refusal: () => Promise.reject(new Error('away')) });
    await stores.seed({ id: '42', total: 1 });
    await process.admission.admit('42', [ask('a'), ask('b')]);
    await until(() => process.faults.length > 0);
    expect(process.memory.refusalOf('42', 'stranger')).toBeNull();
  });
});

describe('a coupon that is not open', () => {
  const inMs = (ms: number) => new Date(Date.now() + ms);

  test('is never refused from memory once it is open', async () => {
    const process = openProcess();
    const opensAt = inMs(1_500);
    await stores.seed({ id: '42', opensAt });
    await process.admission.admit('42', [ask('early')]);
    await refused(process.memory, 'not_yet_open');
    // The clock of Redis is that of this machine. Asked all the time, the memory is as young as can be.
    for (; Date.now() <= opensAt.getTime(); await sleep(1)) process.memory.refusalOf('42', 'stranger');
    expect(process.memory.refusalOf('42', 'stranger')).toBeNull();
    expect((await process.admission.admit('42', [ask('in time')]))[0]!.outcome).toBe('accepted');
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['that closed', 'closed', () => stores.seed({ id: '42', closesAt: inMs(-1_000), opensAt: inMs(-2_000) })],
    [
      'that was paused',
      'not_open',
      async () => {
        await stores.seed({ id: '42' });
        await stores.redis.hset('coupon:42', 'state', 'paused');
      },
    ],
  ])('and one %s refuses with %s', async (_what, outcome, close) => {
    const process = openProcess();
    await close();
    await process.admission.admit('42', [ask('a')]);
    await refused(process.memory, outcome);
    expect(process.memory.refusalOf('42', 'stranger')?.outcome).toBe(outcome);
  });
});
