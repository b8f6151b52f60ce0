import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CouponDetail, CouponList } from '../../../src/operate/inspect/coupons.ts';
import type { IssuedList, QueueList, UserDetail } from '../../../src/operate/inspect/users.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('coupon-cli inspect', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (argv: string[]) => cli(['inspect', ...argv, ...at(stores)]);
  const json = async <T>(...argv: string[]): Promise<T> => {
    const result = await run([...argv, '--json']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    return result.json<T>();
  };
  const admit = (id: string, ...userIds: string[]) =>
    stores.admission.admit(
      id,
      userIds.map((userId) => ({ userId, requestId: 'r' })),
    );
  const drain = async (id: string, limit: number, steps: 'claim' | 'commit' | 'ack' = 'ack') => {
    const epoch = (await stores.ledger.coupon(id))!.epoch;
    const result = await stores.claims.claim(id, { epoch, limit, leaseMs: 30_000, worker: 'w' });
    if (result.status !== 'ok') throw new Error(result.status);
    if (steps === 'claim') return;
    const issued = await stores.ledger.issue(id, result.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
    if (steps === 'ack' && issued.status === 'ok') await stores.claims.ack(id, epoch, issued.rows);
  };

  describe('of all coupons', () => {
    it('says how to make one when there are none', async () => {
      const result = await run([]);
      expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^COUPON\tNAME\t[^\n]*\n$/) });
      expect(result.stderr).toContain('no coupons yet; `coupon-cli seed');
      expect(await json()).toEqual({ coupons: [], total: 0, next: null, wrongIndex: null });
    });

    it('counts everybody by place, under the names that other programs read', async () => {
      await stores.seed({ id: 'sale', name: '여름맞이 쿠폰', total: 10 });
      await admit('sale', 'a', 'b', 'c', 'd');
      await drain('sale', 1);
      await drain('sale', 1, 'claim');
      const { coupons } = await json<CouponList>();
      expect(coupons).toEqual([
        {
          couponId: 'sale',
          name: '여름맞이 쿠폰',
          state: 'open',
          suspect: null,
          total: 10,
          stock: 6,
          waiting: 2,
          claimed: 1,
          dead: 0,
          issued: 1,
          oldestWaitingMs: expect.any(Number),
          timeless: 0,
          future: 0,
          wrongType: null,
          mayBeMissing: null,
          opensAt: null,
          closesAt: null,
          issuedLastMinute: 1,
          timeLeftMs: 180_000,
        },
      ]);
    });

    it('aligns Hangul names and shows control characters', async () => {
      await stores.seed({ id: 'a', name: '쿠폰' });
      await stores.seed({ id: 'b', name: 'abcd' });
      await stores.sql("UPDATE coupons SET name = E'\\x1b[2Jx' WHERE id = 'b'");
      await stores.seed({ id: 'c', name: 'abcdefgh' });
      const terminal = { tty: true, columns: 200, vars: { NO_COLOR: '1' } };
      const lines = (await cli(['inspect', ...at(stores)], terminal)).stdout.split('\n');
      const row = (id: string) => lines.find((line) => line.startsWith(id))!;
      expect(row('b')).toContain('\\x1b[2Jx');
      // Two Hangul are four cells, so the next column begins two characters earlier.
      expect(row('a').indexOf('open')).toBe(row('c').indexOf('open') - 2);
    });

    it('shows a coupon that only one of the stores has', async () => {
      await stores.seed({ id: 'both' });
      await stores.seed({ id: 'ledger-only' });
      await stores.seed({ id: 'redis-only' });
      await stores.redis.del('coupon:ledger-only');
      await stores.sql("DELETE FROM coupons WHERE id = 'redis-only'");
      const { coupons } = await json<CouponList>();
      expect(coupons.map(({ couponId, state, stock, issued }) => [couponId, state, stock, issued])).toEqual([
        ['ledger-only', 'missing_in_redis', null, 0],
        ['redis-only', 'missing_in_ledger', 100, null],
        ['both', 'open', 100, 0],
      ]);
      const { stdout, stderr } = await run([]);
      expect(stdout).toContain('missing in Redis');
      expect(stdout).toContain('missing in the ledger');
      expect(stderr).toContain('coupon-cli audit');
    });

    it('shows what is suspect, not finished, or of another key style', async () => {
      for (const id of ['a', 'b', 'c']) await stores.seed({ id });
      await stores.coupons.markSuspect('a', (await stores.ledger.coupon('a'))!.epoch, 'fence');
      await stores.sql("UPDATE coupons SET state = 'seeding' WHERE id = 'b'");
      await stores.sql("UPDATE coupons SET key_style = 'hash-tag' WHERE id = 'c'");
      const { coupons } = await json<CouponList>();
      expect(coupons.map(({ state, suspect }) => [state, suspect])).toEqual([
        ['suspect', 'fence'],
        ['seeding', null],
        ['other_key_style', null],
      ]);
    });

    it('shows states as users meet them, what needs a person first, and those of --state alone', async () => {
      const past = new Date('2020-01-01T00:00:00Z');
      await stores.seed({ id: 'a-ended', closesAt: past });
      await stores.seed({ id: 'b-scheduled', opensAt: new Date('2100-01-01T00:00:00Z') });
      await stores.seed({ id: 'c-sold-out', total: 0 });
      for (const id of ['d-open', 'e-waiting', 'f-paused', 'g-closed', 'h-suspect']) await stores.seed({ id });
      await admit('e-waiting', 'kim');
      for (const [command, id] of [
        ['pause', 'f-paused'],
        ['close', 'g-closed'],
      ] as const)
        expect(await cli([command, id, ...at(stores)])).toMatchObject({ exitCode: 0 });
      await stores.coupons.markSuspect('h-suspect', (await stores.ledger.coupon('h-suspect'))!.epoch, 'fence');
      const shown = async (...argv: string[]) => (await json<CouponList>(...argv)).coupons.map(({ couponId, state }) => [couponId, state]);
      const all = await shown();
      expect(all).toEqual([
        ['h-suspect', 'suspect'],
        ['e-waiting', 'open'],
        ['d-open', 'open'],
        ['b-scheduled', 'scheduled'],
        ['f-paused', 'paused'],
        ['a-ended', 'ended'],
        ['c-sold-out', 'sold_out'],
        ['g-closed', 'closed'],
      ]);
      const top = await cli(['top', '--once', '--interval', '250ms', '--json', ...at(stores)]);
      expect(top.json<CouponList>().coupons.map(({ couponId, state }) => [couponId, state])).toEqual(all);
      expect(await shown('--state', 'Sold-out,ended')).toEqual([
        ['a-ended', 'ended'],
        ['c-sold-out', 'sold_out'],
      ]);
      expect((await json<CouponDetail>('coupon', 'b-scheduled')).state).toBe('scheduled');
      const first = await run(['--state', 'open,paused', '--limit', '2']);
      expect(first.stderr).toContain('Showing 2 of 3; go on with `coupon-cli inspect --state open,paused --after d-open`');
      expect(await shown('--state', 'open,paused', '--after', 'd-open')).toEqual([['f-paused', 'paused']]);
      expect(await json('--after', 'gone', '--limit', '1')).toMatchObject({ restarted: true, coupons: [{ couponId: 'h-suspect' }] });
      expect((await run(['--state', 'adopting'])).stderr).toBe('no coupons are adopting; `coupon-cli inspect` shows all\n');
      const typo = await run(['--state', 'pausd']);
      expect(await run(['coupon', 'd-open', '--state', 'open'])).toMatchObject({ exitCode: 2, stdout: '' });
      expect(typo).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('did you mean "paused"?') });
    });

    it('shows a part at a time, and how to go on', async () => {
      for (const id of ['a', 'b', 'c']) await stores.seed({ id });
      const first = await run(['--limit', '2']);
      expect(first.stderr).toContain('Showing 2 of 3; go on with `coupon-cli inspect --after b`');
      expect(await json('--limit', '2')).toMatchObject({ total: 3, next: 'b' });
      expect(await json('--limit', '2', '--after', 'b')).toMatchObject({ coupons: [{ couponId: 'c' }], next: null });
    });
  });

  it('of one coupon shows both stores', async () => {
    await stores.seed({ id: 'sale', expiry: { kind: 'after', ms: 86_400_000 }, opensAt: new Date('2026-01-01T00:00:00Z') });
    await admit('sale', 'a');
    const coupon = await json<CouponDetail>('coupon', 'sale');
    expect(coupon).toMatchObject({
      couponId: 'sale',
      admitted: 1,
      validForMs: 86_400_000,
      opensAt: '2026-01-01T00:00:00.000Z',
      version: { ledger: 1, redis: 1 },
    });
    expect(coupon.epoch.redis).toBe(coupon.epoch.ledger);
    const text = (await run(['coupon', 'sale'])).stdout;
    expect(text).toMatch(/^coupon\tsale$/m);
    expect(text).toMatch(/^expiry\t1d after issue$/m);
    expect(text).toMatch(/^time left\tnot draining$/m);
    await stores.redis.flushdb();
    expect((await run(['coupon', 'sale'])).stdout).toMatch(/^state\tmissing in Redis$/m);
  });

  it('of a queue shows who is next, and goes on after a user', async () => {
    await stores.seed({ id: 'sale' });
    expect((await run(['queue', 'sale'])).stderr).toBe('no user waits for coupon sale\n');
    await admit('sale', 'z', 'y', 'x', 'w');
    const first = await json<QueueList>('queue', 'sale', '--limit', '2');
    expect(first).toMatchObject({
      couponId: 'sale',
      total: 4,
      queue: [
        { position: 1, userId: 'z' },
        { position: 2, userId: 'y' },
      ],
      next: 'y',
      restarted: false,
    });
    const second = await json<QueueList>('queue', 'sale', '--limit', '2', '--after', 'y');
    expect(second).toMatchObject({
      queue: [
        { position: 3, userId: 'x' },
        { position: 4, userId: 'w' },
      ],
      next: null,
    });
    expect((await run(['queue', 'sale', '--limit', '3'])).stderr).toContain(
      'Showing 3 of 4; go on with `coupon-cli inspect queue sale --after x`',
    );
    await drain('sale', 2);
    expect(await json('queue', 'sale', '--after', 'y')).toMatchObject({ queue: [{ userId: 'x' }, { userId: 'w' }], restarted: true });
  });

  it('of issued coupons shows the ledger, by user', async () => {
    await stores.seed({ id: 'sale' });
    expect((await run(['issued', 'sale'])).stderr).toContain('nothing issued from coupon sale yet');
    await admit('sale', 'c', 'b', 'a');
    await drain('sale', 10);
    const first = await json<IssuedList>('issued', 'sale', '--limit', '2');
    expect(first).toMatchObject({ total: 3, issued: [{ userId: 'a', usedAt: null, worker: 'w', fence: 1 }, { userId: 'b' }], next: 'b' });
    expect(await json('issued', 'sale', '--after', 'b')).toMatchObject({ issued: [{ userId: 'c' }], next: null });
    expect((await run(['issued', 'sale', '--limit', '2'])).stderr).toContain('Showing 2 of 3');
  });

  describe('of a user', () => {
    it('shows every place, and the ledger row', async () => {
      await stores.seed({ id: 'sale' });
      await admit('sale', 'issued', 'both', 'claimed', 'first', 'second');
      await drain('sale', 1);
      await drain('sale', 1, 'commit');
      await drain('sale', 1, 'claim');
      const place = async (userId: string) => {
        const user = await json<UserDetail>('user', 'sale', userId);
        return [user.place, user.places.join(), user.waiting?.position ?? null, user.ledger !== null, user.hash !== null];
      };
      expect(await place('issued')).toEqual(['issued', 'issued', null, true, true]);
      expect(await place('both')).toEqual(['issued', 'issued,claimed', null, true, false]);
      expect(await place('claimed')).toEqual(['claimed', 'claimed', null, false, false]);
      expect(await place('second')).toEqual(['waiting', 'waiting', 2, false, false]);
      const text = (await run(['user', 'sale', 'both'])).stdout;
      expect(text).toMatch(/^place\tissued \(also claimed\)$/m);
      expect(text).toMatch(/^hash\tnone$/m);
    });

    it('who never asked is an answer, not a failure', async () => {
      await stores.seed({ id: 'sale' });
      const result = await run(['user', 'sale', 'nobody']);
      expect(result).toMatchObject({ exitCode: 0, stdout: 'user nobody never asked for coupon sale, or was refused\n' });
      expect(await json('user', 'sale', 'nobody')).toMatchObject({ place: null, places: [], ledger: null });
    });

    it('who was lost is pointed at audit', async () => {
      await stores.seed({ id: 'sale' });
      await admit('sale', 'a');
      await stores.redis.del('coupon_waiting_queue:sale');
      expect((await run(['user', 'sale', 'a'])).stdout).toContain('coupon-cli audit sale');
    });

    it('of whom only Redis, or only the ledger, knows something is shown all the same', async () => {
      await stores.seed({ id: 'sale' });
      await stores.redis.hset('issued_coupon:coupon:sale-user:forger', 'userId', 'forger');
      await stores.redis.zadd('coupon_waiting_queue:sale', 9e99, 'odd');
      expect((await run(['user', 'sale', 'forger'])).stdout).toMatch(/^hash userId\tforger$/m);
      expect((await run(['user', 'sale', 'odd'])).stdout).toContain('an unknown time');
      await admit('sale', 'a');
      await drain('sale', 1);
      await stores.redis.flushdb();
      expect(await json('user', 'sale', 'a')).toMatchObject({ place: 'issued', admitted: null, hash: null, ledger: { userId: 'a' } });
    });
  });

  it.each([['coupon'], ['queue'], ['issued'], ['user']])('of a coupon that the ledger does not know refuses (%s)', async (form) => {
    const result = await run([form, 'nothing', ...(form === 'user' ? ['someone'] : [])]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('COUPON_UNKNOWN');
  });

  it.each([
    [['bogus']],
    [['queue']],
    [['queue', 'a b']],
    [['user', 'sale', 'a{b']],
    [['--limit', '0']],
    [['--limit', '10001']],
    [['--interval', '2s']],
    [['--watch', '--interval', '2']],
  ])('refuses %j with 2', async (argv) => {
    expect(await run(argv)).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('suggests the form that was meant', async () => {
    expect((await run(['quue'])).stderr).toContain('did you mean "queue"?');
  });

  it.each([[[]], [['coupon']], [['queue']], [['issued']], [['user']]])('has examples in the help of inspect %j', async (argv) => {
    const result = await run([...argv, '--help']);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('Examples:\n  coupon-cli inspect');
    expect(result.stdout).toContain('--limit');
  });

  it('ends with 3 when a store cannot be reached', async () => {
    const result = await cli(['inspect', '--redis-url', 'redis://127.0.0.1:1', '--database-url', stores.databaseUrl]);
    expect(result.exitCode).toBe(3);
  });
});
