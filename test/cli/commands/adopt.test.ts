import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AdoptResult } from '../../../src/operate/adopt/adopt.ts';
import type { AuditReport } from '../../../src/audit/audit.ts';
import { ASKED, contents, jdk, reportCoupon, springCoupon } from '../../support/foreign-coupon.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ durable: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
});

const run = async (...argv: string[]): Promise<CliResult> => cli([...argv, ...at(stores)]);
const adopt = async (...argv: string[]): Promise<CliResult> => run('adopt', '42', ...argv);
const rows = async () =>
  stores.sql(`SELECT user_id, requested_us::text, used_at, expires_at, worker FROM issued_coupons WHERE coupon_id = '42' ORDER BY 1`);
/** Drains, and expects both stores to agree on so many issued coupons. */
async function provenAfterDrain(issued: number): Promise<void> {
  const before = await run('audit', '--scan', '--json');
  expect(before.stdout).toContain('"ok": true');
  const drained = await run('drain', '--until-empty');
  expect(drained).toMatchObject({ exitCode: 0 });
  const after = await run('audit', '--scan', '--json');
  expect(after.json<AuditReport>()).toMatchObject({ ok: true, coupons: [{ couponId: '42', issued, waiting: 0 }] });
  expect(after.exitCode).toBe(0);
}
/** Refused with this code, with nothing changed in either store. */
async function refused(argv: readonly string[], code: string): Promise<string> {
  const before = await contents(stores.redis);
  const result = await adopt(...argv);
  expect(result.stderr).toContain(code);
  expect(result.exitCode).toBe(2);
  expect(await contents(stores.redis)).toEqual(before);
  expect(await stores.sql('SELECT id FROM coupons')).toEqual([]);
  expect((await adopt(...argv, '--dry-run')).exitCode).toBe(2);
  return result.stderr;
}

describe('a coupon as the report describes it', () => {
  beforeEach(() => reportCoupon(stores.redis));

  test('a dry run says what is there and changes nothing, and the run does the same', async () => {
    const before = await contents(stores.redis);
    const dry = await adopt('--dry-run', '--json');
    expect(dry.exitCode).toBe(0);
    const { plan, outcome } = dry.json<AdoptResult>();
    expect(outcome).toBe('planned');
    expect(plan).toMatchObject({
      name: '여름맞이 쿠폰',
      total: 100,
      stock: 95,
      waiting: 3,
      issued: 2,
      used: 1,
      state: 'open',
      scores: { units: { milliseconds: 3 }, oldest: new Date(ASKED).toISOString(), latest: new Date(ASKED + 2).toISOString(), future: 0 },
      serializers: { members: { string: 3 } },
    });
    expect(await contents(stores.redis)).toEqual(before);
    expect(await stores.sql('SELECT id FROM coupons')).toEqual([]);

    const done = await adopt('--json');
    expect(done.json<AdoptResult>()).toEqual({ plan, outcome: 'adopted' });
    expect(done.exitCode).toBe(0);
  });

  test('is adopted, drained and proven', async () => {
    const adopted = await adopt('--total', '100');
    expect(adopted).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('coupon 42 is adopted: 3 waiting, 2 issued') });
    expect((await run('inspect', '--json')).json()).toMatchObject({
      coupons: [{ couponId: '42', state: 'open', total: 100, stock: 95, waiting: 3, issued: 2 }],
    });
    await provenAfterDrain(5);
    const found = await rows();
    expect(found.map((row) => row['user_id'])).toEqual(['choi', 'jung', 'kim', 'lee', 'park']);
    expect(found[1]).toMatchObject({
      used_at: new Date('2025-12-02T03:04:05Z'),
      expires_at: new Date('2026-12-31T14:59:59Z'),
      worker: 'adopt',
    });
    expect(found[0]).toMatchObject({ used_at: null });
    expect(found.slice(2).map((row) => row['requested_us'])).toEqual([0, 1, 2].map((i) => String((ASKED + i) * 1_000)));
    expect((await run('use', '42', 'choi')).exitCode).toBe(0);
    expect((await run('use', '42', 'jung')).exitCode).toBe(2);
    expect((await run('submit', '42', '--user', 'kim', '--json')).json()).toMatchObject({ outcomes: { duplicate: 1 } });
    expect((await run('audit', '--scan')).exitCode).toBe(0);
  });

  test('is in the log, and is not adopted twice', async () => {
    expect((await adopt()).exitCode).toBe(0);
    const [entry, ...others] = await stores.ledger.changes('42', 10);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ kind: 'adopt', details: { total: 100, stock: 95, waiting: 3, issued: 2 }, finishedAt: expect.any(Date) });
    const before = await contents(stores.redis);
    const again = await adopt();
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ALREADY_IN_LEDGER') });
    expect(await contents(stores.redis)).toEqual(before);
  });

  test('is refused, with all numbers, when they do not add up', async () => {
    await stores.redis.hset('coupon:42', 'stock', 97);
    expect(await refused([], 'NUMBERS_DO_NOT_ADD_UP')).toContain('stock 97 + waiting 3 + issued 2 = 102, total 100');
    await stores.redis.hset('coupon:42', 'stock', 90);
    expect(await refused([], 'NUMBERS_DO_NOT_ADD_UP')).toContain('5 are neither in the stock nor with a user');
    // Either number may be said to be wrong.
    expect((await adopt('--stock', '95')).exitCode).toBe(0);
    await provenAfterDrain(5);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('95');
  });

  test('more users than coupons are refused, and taken when there are more coupons', async () => {
    await stores.redis.hset('coupon:42', { stock: -2, total: 3 });
    expect(await refused([], 'TOO_MANY_USERS')).toContain('--total 5 --stock 0');
    expect((await adopt('--total', '5', '--stock', '0')).exitCode).toBe(0);
    await provenAfterDrain(5);
  });

  test('whose hash says nothing of the total or the stock needs them said', async () => {
    await stores.redis.hdel('coupon:42', 'total');
    expect(await refused([], 'TOTAL_UNKNOWN')).toContain('--total');
    await stores.redis.hset('coupon:42', 'stock', 'many');
    expect(await refused(['--total', '100'], 'STOCK_UNKNOWN')).toContain('"many"');
    await refused(['--total', '100', '--field', 'stock=left'], 'FIELD_NOT_FOUND');
    await refused(['--total', '100', '--field', 'stok=left'], 'BAD_FIELD');
  });

  test('a state of its own has to be explained', async () => {
    await stores.redis.hset('coupon:42', 'state', 'ACTIVE');
    expect(await refused([], 'STATE_UNKNOWN')).toContain('--state open');
    expect((await adopt('--state', 'paused')).exitCode).toBe(0);
    expect((await run('inspect', '--json')).json()).toMatchObject({ coupons: [{ state: 'paused' }] });
    expect((await run('audit')).exitCode).toBe(0);
  });

  test.each([
    ['nothing', null],
    ['an empty text', ''],
    ['null', 'null'],
    ['a quoted null', '"null"'],
    ['None', 'None'],
    ['zero', '0'],
  ])('used_at of %s means unused', async (_name, text) => {
    await stores.redis.hdel('issued_coupon:coupon:42-user:jung', 'used_at');
    if (text !== null) await stores.redis.hset('issued_coupon:coupon:42-user:jung', 'used_at', text);
    expect((await adopt('--json')).json<AdoptResult>().plan.used).toBe(0);
    await provenAfterDrain(5);
    expect((await rows())[1]).toMatchObject({ used_at: null });
    expect(await stores.redis.hget('issued_coupon:coupon:42-user:jung', 'used_at')).toBe('');
  });

  test('a used_at that is no time is neither a use nor none', async () => {
    await stores.redis.hset('issued_coupon:coupon:42-user:jung', 'used_at', 'yes');
    expect(await refused([], 'UNREADABLE_TIMES')).toContain('issued_coupon:coupon:42-user:jung used_at "yes"');
  });

  test('times without a zone need one', async () => {
    await stores.redis.hset('issued_coupon:coupon:42-user:jung', 'used_at', '2025-12-02T12:00');
    expect(await refused([], 'TIMES_WITHOUT_ZONE')).toContain('--time-zone Asia/Seoul');
    expect((await adopt('--time-zone', 'Asia/Seoul')).exitCode).toBe(0);
    expect((await rows())[1]).toMatchObject({ used_at: new Date('2025-12-02T03:00:00Z') });
    await provenAfterDrain(5);
  });

  test('a user who waits and has a coupon has one', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', ASKED, 'choi');
    expect((await adopt('--json')).json<AdoptResult>().plan).toMatchObject({ waiting: 3, issued: 2, issuedAndWaiting: 1 });
    expect(await stores.redis.zscore('coupon_waiting_queue:42', 'choi')).toBeNull();
    await provenAfterDrain(5);
  });

  test('scores of several units come onto one scale, and the order is that of the requests', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', String(Math.floor(ASKED / 1_000) - 5), 'kim', String((ASKED - 1) * 1_000), 'lee');
    expect((await adopt('--json')).json<AdoptResult>().plan.scores.units).toEqual({ seconds: 1, microseconds: 1, milliseconds: 1 });
    expect(await stores.redis.zrange('coupon_waiting_queue:42', 0, '-1')).toEqual(['kim', 'lee', 'park']);
    await provenAfterDrain(5);
  });

  test.each([['0'], ['7'], ['+inf'], ['430000000000000']])('a score of %s is on no scale', async (score) => {
    await stores.redis.zadd('coupon_waiting_queue:42', score, 'lee');
    expect(await refused([], 'SCORES_NO_TIME')).toContain('lee with');
  });

  test('companions of Spring Data are named and left alone', async () => {
    await stores.redis.sadd('issued_coupon:coupon:42-user:choi:idx', 'issued_coupon:userId:choi');
    await stores.redis.copy('issued_coupon:coupon:42-user:choi', 'issued_coupon:coupon:42-user:choi:phantom');
    await stores.redis.sadd('issued_coupon', 'coupon:42-user:choi');
    const { plan } = (await adopt('--json')).json<AdoptResult>();
    expect(plan).toMatchObject({ issued: 2, skipped: { count: 3 } });
    expect(
      await stores.redis.exists('issued_coupon:coupon:42-user:choi:idx', 'issued_coupon:coupon:42-user:choi:phantom', 'issued_coupon'),
    ).toBe(3);
    await provenAfterDrain(5);
  });

  test('fields that nobody reads are named', async () => {
    await stores.redis.hset('issued_coupon:coupon:42-user:choi', 'usedTime', '2025-12-02T03:04:05Z');
    const dry = await adopt('--dry-run');
    expect(dry.stdout).toContain('fields that are not read: usedTime');
    expect((await adopt('--field', 'used_at=usedTime', '--json')).json<AdoptResult>().plan.used).toBe(1);
  });

  test('a queue that is a list, and issued keys that are sets, are refused by name', async () => {
    await stores.redis.sadd('issued_coupon:coupon:42-user:x', 'y');
    expect(await refused([], 'ISSUED_WRONG_TYPE')).toContain('issued_coupon:coupon:42-user:x (set)');
    await stores.redis.del('coupon_waiting_queue:42');
    await stores.redis.rpush('coupon_waiting_queue:42', 'kim');
    expect(await refused([], 'KEY_WRONG_TYPE')).toContain('found list, expected zset at coupon_waiting_queue:42');
  });

  test('members that the JDK serializer wrote are refused, with what to change', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', ASKED, jdk('han'));
    const said = await refused([], 'SERIALIZED_MEMBERS');
    expect(said).toContain('JdkSerializationRedisSerializer');
    expect(said).toContain('StringRedisSerializer');
  });

  test('a coupon of another ledger is left to it', async () => {
    await stores.redis.hset('coupon:42', 'epoch', '5f0c7d6a-0000-4000-8000-000000000000');
    expect(await refused([], 'REDIS_KEYS_TAKEN')).toContain('not seeded by this ledger');
  });

  test('a hash that the service writes anew keeps working', async () => {
    expect((await adopt()).exitCode).toBe(0);
    // As CrudRepository.save() does, with a user that the service has taken in the meantime.
    const save = async (fields: Record<string, string | number>): Promise<void> => {
      await stores.redis
        .multi()
        .del('coupon:42')
        .hset('coupon:42', { _class: 'com.shop.Coupon', ...fields })
        .exec();
    };
    await stores.redis.zadd('coupon_waiting_queue:42', 'NX', Date.now(), 'han');
    await save({ name: '여름맞이 쿠폰', total: 100, stock: 94 });
    await provenAfterDrain(6);
    await save({ name: '여름맞이 쿠폰', total: 100, stock: 94 });
    expect((await run('submit', '42', '--users', '2', '--json')).json()).toMatchObject({ outcomes: { accepted: 2 } });
    await provenAfterDrain(8);
    // What an operator has closed stays closed.
    expect((await run('close', '42')).exitCode).toBe(0);
    await save({ name: '여름맞이 쿠폰', total: 100, stock: 92 });
    expect((await run('drain', '--once')).exitCode).toBe(0);
    expect((await run('submit', '42', '--user', 'late', '--json')).json()).toMatchObject({ outcomes: { closed: 1 } });
    // A stock that promises more than there is stays out of service.
    await save({ name: '여름맞이 쿠폰', total: 100, stock: 93 });
    expect((await run('drain', '--once')).exitCode).toBe(4);
    expect((await run('audit', '--repair')).exitCode).toBe(0);
  });
});

describe("a coupon as Spring's JSON serializer writes it", () => {
  beforeEach(() => springCoupon(stores.redis));

  test('is adopted, drained and proven', async () => {
    await refused([], 'TIMES_WITHOUT_ZONE');
    const adopted = await adopt('--time-zone', 'Asia/Seoul', '--json');
    expect(adopted.stderr).toBe('');
    expect(adopted.json<AdoptResult>().plan).toMatchObject({
      name: 'Winter',
      total: 100,
      stock: 95,
      opensAt: '2025-12-01T01:00:00.000Z',
      waiting: 3,
      issued: 2,
      used: 1,
      serializers: { members: { json: 2, typed_json: 1 } },
    });
    await provenAfterDrain(5);
    const found = await rows();
    expect(found.map((row) => row['user_id'])).toEqual(['111', '12345678901234567', '7', '8', 'kim']);
    expect(found[2]).toMatchObject({ used_at: null, expires_at: new Date('2026-12-31T14:59:59Z') });
    expect(found[3]).toMatchObject({ used_at: new Date('2025-12-02T03:00:00Z'), expires_at: new Date('2026-12-31T14:59:59Z') });
  });

  test('one user in two spellings is one user', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', ASKED - 7, 'kim');
    expect((await adopt('--time-zone', 'Asia/Seoul', '--json')).json<AdoptResult>().plan).toMatchObject({ waiting: 3, severalTimes: 1 });
    await provenAfterDrain(5);
    expect((await rows()).at(-1)).toMatchObject({ user_id: 'kim', requested_us: String((ASKED - 7) * 1_000) });
  });

  test('objects without a user id need the name of the field', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', ASKED + 9, '{"member":{"x":1},"memberId":5}');
    await stores.redis.hset('coupon:42', '"stock"', '94');
    const said = await refused(['--time-zone', 'Asia/Seoul'], 'MEMBER_FIELD');
    expect(said).toContain('fields member, memberId');
    await stores.redis.zrem('coupon_waiting_queue:42', '{"@class":"com.shop.Ask","userId":12345678901234567}');
    await stores.redis.hset('coupon:42', '"stock"', '95');
    expect((await adopt('--time-zone', 'Asia/Seoul', '--member-field', 'memberId')).exitCode).toBe(0);
    await provenAfterDrain(5);
  });
});

describe('keys and names of its own', () => {
  test('of a @RedisHash with indexes', async () => {
    await stores.redis.hset('coupon:42', {
      _class: 'com.shop.CouponRedisEntity',
      id: '42',
      name: 'Of A',
      quantity: '7',
      maxQuantity: '10',
    });
    await stores.redis.sadd('coupon', '42');
    for (const user of ['7', '8']) {
      await stores.redis.hset(`issued_coupon:coupon-42-user-${user}`, { _class: 'com.shop.Issued', userId: user, couponId: '42' });
      if (user === '8') await stores.redis.hset(`issued_coupon:coupon-42-user-${user}`, 'usedAt', '2025-12-02T12:00:00');
      await stores.redis.sadd(`issued_coupon:coupon-42-user-${user}:idx`, `issued_coupon:userId:${user}`);
      await stores.redis.sadd(`issued_coupon:userId:${user}`, `coupon-42-user-${user}`);
    }
    await stores.redis.zadd('coupon_waiting_queue:42', ASKED, '9');
    const argv = [
      '--field',
      'stock=quantity',
      '--field',
      'total=maxQuantity',
      '--issued-key',
      'issued_coupon:coupon-{id}-user-{user}',
      '--time-zone',
      'Asia/Seoul',
    ];
    expect((await adopt(...argv, '--json')).json<AdoptResult>().plan).toMatchObject({
      total: 10,
      stock: 7,
      waiting: 1,
      issued: 2,
      used: 1,
      skipped: { count: 4 },
    });
    await provenAfterDrain(3);
    // The service goes on with its own names.
    await stores.redis
      .multi()
      .del('coupon:42')
      .hset('coupon:42', { _class: 'com.shop.CouponRedisEntity', name: 'Of A', quantity: '7', maxQuantity: '10' })
      .exec();
    expect((await run('submit', '42', '--user', 'new', '--json')).json()).toMatchObject({ outcomes: { accepted: 1 } });
    await provenAfterDrain(4);
  });

  test('are read, and left as they are', async () => {
    await stores.redis.hset('shop:coupon:42', { name: 'Own', total: 10, stock: 7 });
    await stores.redis.zadd('shop:queue:42', ASKED, '"kim"', ASKED + 1, 'lee');
    await stores.redis.hset('shop:issued:42:choi', { used_at: '' });
    const before = await contents(stores.redis);
    const argv = ['--hash-key', 'shop:coupon:{id}', '--queue-key', 'shop:queue:{id}', '--issued-key', 'shop:issued:{id}:{user}'];
    expect((await adopt(...argv)).exitCode).toBe(0);
    await provenAfterDrain(3);
    expect(await contents(stores.redis)).toMatchObject(before);
  });

  test('have to say where the ids are', async () => {
    for (const argv of [
      ['--hash-key', 'coupon'],
      ['--issued-key', 'issued:{id}'],
      ['--issued-key', 'issued:{id}:{user}:{user}'],
    ])
      expect(await refused(argv, 'BAD_KEY_TEMPLATE')).toContain(argv[0]);
  });

  test('spelled by a serializer are found, and named', async () => {
    await stores.redis.hset(jdk('coupon:42'), 'total', 5);
    expect(await refused([], 'SERIALIZED_KEYS')).toContain('StringRedisSerializer');
    await stores.redis.del(jdk('coupon:42'));
    await refused([], 'COUPON_NOT_IN_REDIS');
  });

  test('of fields that the JDK serializer wrote are refused', async () => {
    await reportCoupon(stores.redis);
    await stores.redis.hset('coupon:42', jdk('stock'), jdk('95'));
    expect(await refused([], 'SERIALIZED_VALUES')).toContain('JdkSerializationRedisSerializer');
  });
});
