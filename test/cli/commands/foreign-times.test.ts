import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { availability } from '../../../src/admission/availability.ts';
import type { BenchReport } from '../../../src/bench/report/report.ts';
import { CouponDirectory } from '../../../src/admission/coupon-directory.ts';
import { useCoupon } from '../../../src/operate/use.ts';
import { FOREIGN_TABLE, foreignServer, type ForeignVariant } from '../../support/foreign-server.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** The zero of a clock that shows local time, and dates that stand for "not yet". */
const NEVER = ['1970-01-01 09:00:00', '1969-12-31 19:00:00', '9999-12-31 23:59:59', '2999-12-31', 'infinity'];
const HASH = 'issued_coupon:coupon:42-user:u1';

describe('a time that another program wrote into an issued hash', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores()));
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 10, expiry: { kind: 'after', ms: 86_400_000 } });
    await admit('u1');
    await run('drain', '--once');
  });

  const run = (...argv: string[]) => cli([...at(stores), ...argv]);
  const admit = (userId: string) => stores.admission.admit('42', [{ userId, requestId: 'r' }]);
  const write = (...fields: string[]) => stores.redis.hset(HASH, ...fields);
  const row = async () => (await stores.sql('SELECT used_at, use_id, expires_at, issued_at, revoked_at FROM issued_coupons'))[0]!;
  const codes = async () => (await run('audit', '42', '--json')).json<{ findings: { code: string }[] }>().findings.map((one) => one.code);

  it.each(['null', 'None', 'undefined', '0', 'false', '"null"', String.raw`\N`, 'soon', '{}', '2026-02-30', '1', ...NEVER])(
    'is no use when it is %j: a repair mends the hash and leaves the ledger alone',
    async (text) => {
      await write('used_at', text);
      expect((await run('audit', '42')).exitCode).toBe(4);
      expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
      expect(await row()).toMatchObject({ used_at: null, use_id: null });
      expect(await stores.redis.hget(HASH, 'used_at')).toBe('');
      expect(await codes()).toEqual([]);
    },
  );

  it.each([
    ['2026-11-25T12:00', '2026-11-25T12:00:00.000Z'],
    ['[2026,11,25,12,0]', '2026-11-25T12:00:00.000Z'],
    ['"2026-11-25T21:00:00+09:00"', '2026-11-25T12:00:00.000Z'],
    ['["java.lang.Long",1764072000000]', '2025-11-25T12:00:00.000Z'],
    ['1764072000', '2025-11-25T12:00:00.000Z'],
    ['2026-11-25', '2026-11-25T00:00:00.000Z'],
  ])('is a use when it is %j, at that time', async (text, iso) => {
    await write('used_at', text);
    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    expect(await row()).toMatchObject({ used_at: new Date(iso), use_id: 'repair' });
    expect(await stores.redis.hget(HASH, 'used_at')).toBe(iso);
  });

  it.each(NEVER)('is no revocation when it is %j, not even of a row that is rebuilt', async (text) => {
    await write('revoked_at', text, 'used_at', text);
    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    expect(await row()).toMatchObject({ revoked_at: null, used_at: null });
    expect(await stores.redis.hmget(HASH, 'used_at', 'revoked_at')).toEqual(['', null]);
    await write('revoked_at', text, 'used_at', text);
    await stores.sql('DELETE FROM issued_coupons');
    await stores.sql('UPDATE coupons SET issued_quantity = 0');
    await run('audit', '42', '--scan', '--repair');
    expect(await row()).toMatchObject({ revoked_at: null, used_at: null });
    expect(await codes()).toEqual([]);
  });

  it('is named with the field and the text when nobody can read it', async () => {
    await write('used_at', 'soon', 'ex_date', '31.12.2026');
    const { stdout, exitCode } = await run('audit', '42');
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/coupon 42, 1 user: .* \[hash_unreadable_time\][^]*ex_date 31\.12\.2026, used_at soon[^]*u1/);
  });

  it.each(['null', 'soon', '0'])('does not keep a use from the hash when it is %j', async (text) => {
    await write('used_at', text);
    const used = await run('use', '42', 'u1');
    expect(used.exitCode).toBe(0);
    const { used_at } = await row();
    expect(await stores.redis.hget(HASH, 'used_at')).toBe((used_at as Date).toISOString());
    expect(await codes()).toEqual([]);
  });

  it('is kept by a use and by an ack when it can be read', async () => {
    await write('used_at', '2026-11-25T12:00', 'revoked_at', '1764072000');
    const [ledgerRow] = await stores.ledger.rows('42', ['u1']);
    await stores.claims.ack('42', (await stores.ledger.coupon('42'))!.epoch, [ledgerRow!]);
    await useCoupon({ ledger: stores.ledger, hashes: stores.coupons, claims: stores.claims, keyStyle: 'plain' }, '42', 'u1', 'x');
    expect(await stores.redis.hmget(HASH, 'used_at', 'revoked_at')).toEqual(['2026-11-25T12:00', '1764072000']);
  });

  it.each(['null', 'soon'])('gives way to the ledger in an ack when it is %j', async (text) => {
    await stores.redis.hset('issued_coupon:coupon:42-user:u2', 'used_at', text, 'revoked_at', text);
    await stores.redis.zadd('coupon_waiting_queue:42', Date.now(), 'u2');
    await stores.redis.hincrby('coupon:42', 'stock', -1);
    expect((await run('drain', '--once')).exitCode).toBe(0);
    expect(await stores.redis.hmget('issued_coupon:coupon:42-user:u2', 'used_at', 'revoked_at')).toEqual(['', null]);
    expect(await codes()).toEqual([]);
  });

  it('gives a row that is rebuilt its expiry in any form, and the coupon’s own where it is no time', async () => {
    const rebuilt = async (exDate: string): Promise<unknown> => {
      await stores.sql('DELETE FROM issued_coupons');
      await stores.sql('UPDATE coupons SET issued_quantity = 0');
      await write('ex_date', exDate, 'used_at', 'null');
      await run('audit', '42', '--scan', '--repair');
      expect((await run('audit', '42', '--scan')).exitCode).toBe(0);
      expect(await row()).toMatchObject({ used_at: null });
      const { expires_at, issued_at } = await row();
      return (
        (expires_at as Date | null) && [(expires_at as Date).toISOString(), (expires_at as Date).getTime() - (issued_at as Date).getTime()]
      );
    };
    expect(await rebuilt('[2027,1,31]')).toMatchObject(['2027-01-31T00:00:00.000Z', expect.any(Number)]);
    expect(await rebuilt('2027-01-31T12:00')).toMatchObject(['2027-01-31T12:00:00.000Z', expect.any(Number)]);
    expect(await rebuilt('null')).toBe(null);
    expect(await rebuilt('next year')).toMatchObject([expect.any(String), 86_400_000]);
  });
});

/** What a coupon that answers so is called. */
const STATES: Record<string, string> = {
  accepted: 'open',
  not_yet_open: 'scheduled',
  closed: 'ended',
  unavailable: 'unreadable_time',
};

describe('a request window that another program wrote', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores()));
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 1_000 });
  });
  const admitted = async () => (await stores.admission.admit('42', [{ userId: `u${Math.random()}`, requestId: 'r' }]))[0]!.outcome;

  it.each([
    ['opens_at', '2020-11-24T10:00:00+09:00', 'accepted'],
    ['opens_at', '2020-11-24T10:00', 'accepted'],
    ['opens_at', '1606180000000', 'accepted'],
    ['opens_at', 'null', 'accepted'],
    ['opens_at', '2999-11-24T10:00', 'not_yet_open'],
    ['opens_at', 'tomorrow', 'unavailable'],
    ['closes_at', '"2020-11-24T10:00:00Z"', 'closed'],
    ['closes_at', '[2999,1,1]', 'accepted'],
    ['closes_at', 'None', 'accepted'],
    ['closes_at', 'never', 'unavailable'],
  ])('%s %j is read in the same way by admission and by GET: %s', async (field, text, outcome) => {
    await stores.redis.hset('coupon:42', field, text);
    await stores.coupons.verify('42', (await stores.ledger.coupon('42'))!);
    expect(await admitted()).toBe(outcome);
    const answer = await availability(
      { reader: stores.reader, directory: new CouponDirectory(stores.ledger, () => performance.now()) },
      '42',
    );
    expect(answer).toMatchObject({ coupon: { accepting: outcome === 'accepted' } });
    const name = field === 'opens_at' ? 'opensAt' : 'closesAt';
    expect(answer.status === 'found' && answer.coupon.unreadable).toEqual(outcome === 'unavailable' ? [name] : undefined);
    const state = STATES[outcome];
    expect(answer).toMatchObject({ coupon: { state } });
    const inspected = await cli([...at(stores), 'inspect', '--json']);
    const line = { couponId: '42', state, ...(outcome === 'unavailable' ? { unreadable: [field] } : {}) };
    expect((JSON.parse(inspected.stdout) as { coupons: unknown[] }).coupons).toMatchObject([line]);
    const asText = (await cli([...at(stores), 'inspect', 'coupon', '42'])).stdout;
    expect(asText.includes(`${field} in Redis is no time; no requests are taken until \`coupon-cli audit 42 --repair\``)).toBe(
      outcome === 'unavailable',
    );
    const audited = await cli([...at(stores), 'audit', '42']);
    expect(audited.exitCode).toBe(4);
    expect(audited.stdout).toContain(outcome === 'unavailable' ? `[settings_unreadable_time]` : `fields ${field}`);
    expect((await cli([...at(stores), 'audit', '42', '--repair'])).exitCode).toBe(0);
    expect(await admitted()).toBe('accepted');
  });
});

describe('revoked_at in the list of another service', () => {
  const COUPON = 'summer-2027';
  const EXAMPLE = parse(readFileSync('scenarios/foreign-service.example.yaml', 'utf8')) as {
    verify: { redis: object; sql: { query: string } };
  };
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores({ migrated: false })));
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.sql(FOREIGN_TABLE);
    await stores.sql('TRUNCATE member_coupon');
  });

  const benched = async (revoked: string, variant: ForeignVariant) => {
    const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'foreign.yaml');
    const { sql } = EXAMPLE.verify;
    const query = sql.query.replace(/^\s*select/i, `SELECT ${revoked} AS revoked_at,`);
    const verify = { sql: { ...sql, query }, skip: ['stock_adds_up'] };
    writeFileSync(path, JSON.stringify({ ...EXAMPLE, verify, settle: { timeout: '6s', quietFor: '1s' } }));
    await using server = await foreignServer(stores, COUPON, { variant, total: 100 });
    return await cli([...at(stores), 'bench', path, '--url', server.url, '--json']);
  };

  it.each(['false', String.raw`'\N'`, "'NULL'", "'0000-00-00 00:00:00'", '0', "timestamp '1970-01-01 09:00'", "date '9999-12-31'"])(
    '%s revokes nothing, so that missing coupons are not hidden',
    async (revoked) => {
      const result = await benched(revoked, 'pop_then_crash');
      expect(result.json<BenchReport>().integrity).toContainEqual(
        expect.objectContaining({ check: 'accepted_are_issued', status: 'not_checked', reason: 'NOT_SETTLED' }),
      );
      expect(result.exitCode).toBe(5);
    },
  );

  it.each(["'maybe'", 'true', '1'])('%s is no time: nothing is proven, and the report says why', async (revoked) => {
    const result = await benched(revoked, 'correct');
    expect(result.exitCode, result.stderr).toBe(5);
    const note = result.json<BenchReport>().notes.find(({ code }) => code === 'LEDGER_UNREADABLE');
    expect(note?.facts?.['why']).toMatch(/revoked_at of user \d+ is ".*", which is no time/);
  });
});
