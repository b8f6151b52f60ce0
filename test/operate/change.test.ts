import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeCoupon, type ChangePorts } from '../../src/operate/change.ts';
import type { ChangeRequest } from '../../src/operate/change/request.ts';
import { reset } from '../../src/operate/reset.ts';
import { durationFlag } from '../../src/lib/duration.ts';
import type { CouponError } from '../../src/lib/errors.ts';
import { openStores, type TestStores } from '../support/stores.ts';

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

const ports = (): ChangePorts => ({ ledger: stores.ledger, coupons: stores.coupons, keyStyle: 'plain', newOpId: randomUUID });
const change = (request: ChangeRequest, { opId = null, given = ports() }: { opId?: string | null; given?: ChangePorts } = {}) =>
  changeCoupon('c', request, { byWhom: 'kim@shop', reason: 'test', opId }, given);

interface Both {
  total: number;
  stock: number;
  state: string;
  version: [ledger: number, redis: number];
  closesAt: string;
}

/** How the coupon stands; the stores must agree on all that both have. */
async function both(): Promise<Both> {
  const coupon = (await stores.ledger.coupon('c'))!;
  const hash = await stores.redis.hgetall('coupon:c');
  expect(Number(hash['total'])).toBe(coupon.total);
  expect(hash['name']).toBe(coupon.name);
  expect(hash['closes_at']).toBe(coupon.closesAt?.toISOString() ?? '');
  expect(hash['ex_date'] ?? '').toBe(coupon.expiry.kind === 'at' ? coupon.expiry.at.toISOString() : '');
  expect(hash['valid_for'] ?? '').toBe(coupon.expiry.kind === 'after' ? durationFlag(coupon.expiry.ms) : '');
  return {
    total: coupon.total,
    stock: Number(hash['stock']),
    state: hash['state']!,
    version: [coupon.version, Number(hash['version'])],
    closesAt: hash['closes_at']!,
  };
}

const refusal = (work: Promise<unknown>): Promise<CouponError> =>
  work.then(
    () => {
      throw new Error('it was done');
    },
    (error: CouponError) => error,
  );

describe('a change reaches both stores, and the log', () => {
  test('restock', async () => {
    await stores.admission.admit(
      'c',
      Array.from({ length: 12 }, (_, i) => ({ userId: `u${i}`, requestId: `r${i}` })),
    );
    expect(await change({ kind: 'restock', add: 5 })).toMatchObject({ outcome: 'done', change: { kind: 'restock', details: { add: 5 } } });
    expect(await both()).toMatchObject({ total: 15, stock: 5, version: [2, 2], state: 'open' });
    const [answer] = await stores.admission.admit('c', [{ userId: 'u11', requestId: 'r11' }]);
    expect(answer!.outcome).toBe('accepted');
    expect(await stores.ledger.changes('c', 10)).toMatchObject([
      { kind: 'restock', byWhom: 'kim@shop', reason: 'test', finishedAt: expect.any(Date) },
    ]);
  });

  test('pause, resume and close', async () => {
    const ask = async () => (await stores.admission.admit('c', [{ userId: 'kim', requestId: 'r' }]))[0]!.outcome;
    await change({ kind: 'pause' });
    expect(await both()).toMatchObject({ state: 'paused', version: [2, 2] });
    expect(await ask()).toBe('not_open');
    expect(await change({ kind: 'pause' })).toMatchObject({ outcome: 'unchanged' });
    await change({ kind: 'resume' });
    expect(await ask()).toBe('accepted');
    expect(
      await refusal(
        change({ kind: 'resume' }).then((done) => (done.outcome === 'unchanged' ? Promise.reject(new Error('unchanged')) : done)),
      ),
    ).toMatchObject({ message: 'unchanged' });
    expect(await refusal(change({ kind: 'close', force: false }))).toMatchObject({
      code: 'USERS_WAITING',
      message: '1 accepted user waits for coupon c',
    });
    await change({ kind: 'close', force: true });
    expect(await both()).toMatchObject({ state: 'closed', version: [4, 4] });
    const [late] = await stores.admission.admit('c', [{ userId: 'lee', requestId: 'r' }]);
    expect(late).toEqual({ outcome: 'closed', atMs: expect.any(Number) });
    expect(Math.abs(late!.atMs! - Date.now())).toBeLessThan(60_000);
    for (const kind of ['pause', 'resume'] as const) expect(await refusal(change({ kind }))).toMatchObject({ code: 'CHANGE_REFUSED' });
    expect((await stores.ledger.changes(null, 10)).map(({ kind }) => kind)).toEqual(['close', 'resume', 'pause']);
  });

  test('extend, and a window that cannot be', async () => {
    const closesAt = new Date('2099-01-01T00:00:00.000Z');
    await change({ kind: 'extend', closesAt });
    expect(await both()).toMatchObject({ closesAt: '2099-01-01T00:00:00.000Z', version: [2, 2] });
    expect(await refusal(change({ kind: 'extend', opensAt: new Date('2100-01-01T00:00:00Z') }))).toMatchObject({ code: 'BAD_WINDOW' });
    expect(await both()).toMatchObject({ version: [2, 2] });
    await change({ kind: 'extend', expiry: { kind: 'after', ms: 86_400_000 } });
    expect(await stores.redis.hget('coupon:c', 'valid_for')).toBe('1d');
  });
});

const REQUESTS: [string, ChangeRequest][] = [
  ['restock', { kind: 'restock', add: 5 }],
  ['pause', { kind: 'pause' }],
  ['close', { kind: 'close', force: false }],
  ['extend', { kind: 'extend', closesAt: new Date('2099-01-01T00:00:00Z') }],
  ['rename', { kind: 'rename', name: 'Other' }],
  [
    'edit',
    {
      kind: 'edit',
      settings: {
        name: 'Edited',
        opensAt: new Date('2026-01-01T00:00:00Z'),
        closesAt: new Date('2099-01-01T00:00:00Z'),
        expiry: { kind: 'after', ms: 86_400_000 },
      },
    },
  ],
];
/** Ends the command before, or after, each of its steps. */
const STEPS = ['beginChange', 'change', 'finishChange'] as const;

describe('rename and edit', () => {
  const settings = { name: 'Edited', opensAt: null, closesAt: new Date('2099-01-01T00:00:00Z'), expiry: { kind: 'never' } } as const;

  test('reach both stores and the log, which has what differed', async () => {
    await change({ kind: 'rename', name: '  여름 ' });
    expect((await stores.ledger.coupon('c'))!.name).toBe('여름');
    await change({ kind: 'edit', settings });
    expect(await both()).toMatchObject({ closesAt: '2099-01-01T00:00:00.000Z', version: [3, 3] });
    expect(await stores.ledger.changes('c', 10)).toMatchObject([
      { kind: 'edit', details: { name: 'Edited', closesAt: '2099-01-01T00:00:00.000Z' } },
      { kind: 'rename', details: { name: '여름' } },
    ]);
    expect(await change({ kind: 'edit', settings })).toMatchObject({ outcome: 'unchanged' });
    expect(await change({ kind: 'rename', name: 'Edited' })).toMatchObject({ outcome: 'unchanged' });
  });

  test('take one form of expiry away when there is another, or none', async () => {
    const forms = [{ kind: 'after', ms: 86_400_000 }, { kind: 'at', at: new Date('2100-01-01T00:00:00Z') }, { kind: 'never' }] as const;
    for (const expiry of forms) {
      await change({ kind: 'edit', settings: { ...settings, expiry } });
      await both();
      expect((await stores.ledger.coupon('c'))!.expiry).toEqual(expiry);
    }
  });

  test('refuse a name that nobody can see, with nothing changed', async () => {
    expect(await refusal(change({ kind: 'rename', name: '\u202e' }))).toMatchObject({ code: 'BAD_NAME' });
    expect(await stores.ledger.changes('c', 10)).toEqual([]);
  });

  test('an interrupted edit is finished, and not taken for another', async () => {
    const dying = { ...ports().coupons, change: async () => Promise.reject(new Error('killed')) };
    await refusal(change({ kind: 'edit', settings }, { given: { ...ports(), coupons: dying } }));
    const other = await refusal(change({ kind: 'edit', settings: { ...settings, name: 'Another' } }));
    expect(other).toMatchObject({ code: 'CHANGE_UNFINISHED', fix: expect.stringContaining('edit c --file FILE') });
    expect(await change({ kind: 'edit', settings })).toMatchObject({ outcome: 'finished' });
    expect(await both()).toMatchObject({ version: [2, 2] });
  });
});

test.each(REQUESTS)('a dry run of %s changes nothing', async (_name, request) => {
  const by = { byWhom: 'kim@shop', reason: null, opId: null, dryRun: true };
  expect(await changeCoupon('c', request, by, ports())).toMatchObject({ outcome: 'planned', change: { kind: request.kind } });
  expect(await both()).toMatchObject({ version: [1, 1], total: 10, state: 'open', closesAt: '' });
  expect(await stores.ledger.changes('c', 10)).toEqual([]);
});

test('the command that finishes an extension has all that was asked for', async () => {
  const request = { kind: 'extend', opensAt: new Date('2026-01-01T00:00:00Z'), expiry: { kind: 'after', ms: 90_000 } } as const;
  const dying = { ...ports().coupons, change: async () => Promise.reject(new Error('killed')) };
  await refusal(change(request, { given: { ...ports(), coupons: dying } }));
  expect((await refusal(change({ kind: 'pause' }))).fix).toMatch(
    /extend c --opens-at 2026-01-01T00:00:00\.000Z --valid-for 90000ms --op-id [0-9a-f-]+`/,
  );
});

describe.each(REQUESTS)('%s that is killed', (_name, request) => {
  test.each(STEPS.flatMap((step) => [[step, 'before'] as const, [step, 'after'] as const]))(
    '%s, %s it: run again, it is finished once',
    async (step, when) => {
      const killed = ports();
      const owner = (step === 'change' ? killed.coupons : killed.ledger) as unknown as Record<
        string,
        (...args: unknown[]) => Promise<unknown>
      >;
      const dying = {
        ...owner,
        [step]: async (...args: unknown[]) => {
          if (when === 'after') await owner[step]!(...args);
          throw new Error('killed');
        },
      };
      const given = (step === 'change' ? { ...killed, coupons: dying } : { ...killed, ledger: dying }) as unknown as ChangePorts;
      expect(await refusal(change(request, { given }))).toMatchObject({ message: 'killed' });

      const [left] = await stores.ledger.changes('c', 10);
      const isUnfinished = left !== undefined && left.finishedAt === null;
      // Another restock of the same size would look just like it.
      const asksForId = isUnfinished && request.kind === 'restock';
      const told = asksForId ? ((await refusal(change(request))).fix ?? '') : '';
      expect(told.includes(`--op-id ${left?.opId}`)).toBe(asksForId);
      const other = isUnfinished ? (await refusal(change({ kind: 'restock', add: 1 }))).code : null;
      expect(other).toBe(isUnfinished ? 'CHANGE_UNFINISHED' : null);
      // A server that starts meanwhile serves the coupon as before: it is nowhere behind.
      const { epoch, maxFence, version } = (await stores.ledger.coupon('c'))!;
      expect(await stores.coupons.verify('c', { epoch, maxFence, version })).toMatchObject({ status: 'ok' });

      const again = await change(request, { opId: left?.opId ?? null });
      expect(again.outcome).toBe(isUnfinished ? 'finished' : left ? 'unchanged' : 'done');
      await change(request, { opId: again.change.opId === '' ? null : again.change.opId });
      expect(await both()).toMatchObject({
        version: [2, 2],
        total: request.kind === 'restock' ? 15 : 10,
        stock: request.kind === 'restock' ? 15 : 10,
      });
      expect(await stores.ledger.changes('c', 10)).toHaveLength(1);
    },
  );
});

test('a restock under an id of one’s own counts once, and is not taken for another', async () => {
  const opId = randomUUID();
  for (let time = 0; time < 3; time += 1) await change({ kind: 'restock', add: 5 }, { opId });
  expect(await both()).toMatchObject({ total: 15, stock: 15 });
  expect(await refusal(change({ kind: 'restock', add: 6 }, { opId }))).toMatchObject({ code: 'CHANGE_REFUSED' });
});

test('two restocks at once: one is done, the other is told so or done after it', async () => {
  const results = await Promise.allSettled([1, 2, 3].map(() => change({ kind: 'restock', add: 1 })));
  const done = results.filter(({ status }) => status === 'fulfilled').length;
  expect(done).toBeGreaterThan(0);
  const refusals = results.filter((result) => result.status === 'rejected').map(({ reason }) => (reason as CouponError).code);
  expect(new Set([...refusals, 'CHANGE_UNFINISHED'])).toEqual(new Set(['CHANGE_UNFINISHED']));
  expect(await both()).toMatchObject({ total: 10 + done, stock: 10 + done });
});

/** `meanwhile` is done between the look at the coupon and the beginning of the change. */
function afterwards(meanwhile: () => Promise<unknown>): ChangePorts {
  const { ledger, ...rest } = ports();
  const beginChange: typeof ledger.beginChange = async (...args) => {
    await meanwhile();
    return ledger.beginChange(...args);
  };
  return { ...rest, ledger: { ...ledger, beginChange } };
}

test.each<[string, ChangeRequest, ChangeRequest, object]>([
  ['a restock', { kind: 'restock', add: 3 }, { kind: 'restock', add: 5 }, { total: 13, stock: 13, version: [2, 2] }],
  ['another name', { kind: 'rename', name: 'New' }, { kind: 'restock', add: 5 }, { total: 10, version: [2, 2] }],
])('%s that was finished after the coupon was looked at is not undone', async (_name, first, second, stands) => {
  const given = afterwards(() => change(first));
  expect(await refusal(change(second, { given }))).toMatchObject({ code: 'CHANGE_UNFINISHED', kind: 'usage' });
  expect(await both()).toMatchObject(stands);
  expect(await change(second)).toMatchObject({ outcome: 'done' });
  await both();
});

test('a change that begins while another one is finished meets no deadlock', async () => {
  const codes = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    const results = await Promise.allSettled([1, 2, 3].map(() => change({ kind: 'restock', add: 1 })));
    for (const result of results) if (result.status === 'rejected') codes.add((result.reason as CouponError).code);
  }
  expect([...codes]).toEqual(['CHANGE_UNFINISHED']);
  await both();
});

test('a suspect coupon is not changed, nor one that Redis lost', async () => {
  await stores.redis.hset('coupon:c', 'suspect', 'fence');
  expect(await refusal(change({ kind: 'restock', add: 5 }))).toMatchObject({ code: 'COUPON_SUSPECT', kind: 'broken' });
  expect(await stores.ledger.changes('c', 10)).toEqual([]);
  expect(await refusal(changeCoupon('nothing', { kind: 'pause' }, { byWhom: 'kim', reason: null, opId: null }, ports()))).toMatchObject({
    code: 'COUPON_UNKNOWN',
  });
});

test('a reset ends what was under way in the life before', async () => {
  const { coupons, ledger } = ports();
  const dying = { ...coupons, change: async () => Promise.reject(new Error('killed')) };
  await refusal(change({ kind: 'restock', add: 5 }, { given: { ...ports(), coupons: dying } }));
  await reset('c', { ledger: stores.ledger, coupons: stores.coupons, newEpoch: randomUUID });
  await stores.seed({ id: 'c', total: 10 });
  expect(await ledger.changes('c', 10)).toMatchObject([{ finishedAt: null }]);
  await change({ kind: 'restock', add: 1 });
  expect(await both()).toMatchObject({ total: 11, stock: 11, version: [2, 2] });
});
