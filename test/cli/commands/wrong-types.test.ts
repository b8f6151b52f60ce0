import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditReport } from '../../../src/audit/audit.ts';
import { couponKeys, KEY_TYPES } from '../../../src/stores/redis/keys/keys.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { issueWaiting } from '../../support/issue.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { occupy, wrongTypes } from '../../support/wrong-types.ts';

const KEYS = couponKeys('3', 'plain');
type Fixed = keyof typeof KEY_TYPES;

const cases = (Object.keys(KEY_TYPES) as Fixed[]).flatMap((name) => wrongTypes(KEY_TYPES[name]).map((found) => ({ name, found })));
const issuedCases = wrongTypes('hash').map((found) => ({ found }));

describe('a key of a wrong type', () => {
  let stores: TestStores;
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    stores = await openStores({ durable: false });
    endpoint = await openEndpoint(stores);
  });
  afterAll(async () => {
    await endpoint[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });

  /** Two coupons alike: one user issued, one dead, one claimed and given back, two waiting. */
  beforeEach(async () => {
    await stores.clear();
    for (const couponId of ['3', '4']) {
      await stores.seed({ id: couponId, total: 20 });
      const admit = async (...users: string[]) =>
        stores.admission.admit(
          couponId,
          users.map((userId) => ({ userId, requestId: 'r' })),
        );
      await admit('issued');
      await issueWaiting(stores, couponId);
      await stores.redis.zadd(`coupon_waiting_queue:${couponId}`, 'NX', Date.now(), 'has space');
      await stores.redis.hincrby(`coupon:${couponId}`, 'stock', -1);
      await issueWaiting(stores, couponId);
      await admit('kim', 'lee');
      const { epoch } = (await stores.ledger.coupon(couponId))!;
      const claimed = await stores.claims.claim(couponId, { epoch, limit: 1, leaseMs: 30_000, worker: 'w' });
      if (claimed.status === 'ok') await stores.claims.release(couponId, epoch, claimed.claims);
    }
  });

  const run = async (...argv: string[]): Promise<CliResult> => {
    const result = await cli([...argv, ...at(stores)]);
    const said = result.stdout + result.stderr;
    expect(said, argv.join(' ')).not.toMatch(/user_script|[0-9a-f]{40}|Unexpected|foreseen/);
    expect([0, 2, 4], `${argv.join(' ')}: ${said}`).toContain(result.exitCode);
    return result;
  };
  const rows = async (couponId: string) =>
    (await stores.sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1 ORDER BY user_id', [couponId])).map((row) => row['user_id']);

  test.each(cases)('$name as a $found concerns its coupon alone, in every command and route', async ({ name, found }) => {
    const key = KEYS[name];
    const named = `found ${found}, expected ${KEY_TYPES[name]} at ${key}`;
    await occupy(stores.redis, key, found);

    // Coupon 4 is looked at, shown and served as ever, and coupon 3 is named.
    expect((await run('inspect')).stderr).toContain(named.replace(/ at .*/, ''));
    const audited = await run('audit', '--json');
    const { findings, coupons } = audited.json<AuditReport>();
    expect(audited.exitCode).toBe(4);
    expect(findings).toMatchObject([{ code: 'key_wrong_type', couponId: '3', facts: { key, found, expected: KEY_TYPES[name] } }]);
    expect(coupons).toMatchObject([
      { couponId: '3', skipped: 'wrong_type' },
      { couponId: '4', skipped: null },
    ]);
    expect((await run('audit', '--scan')).stdout).toContain(key);
    expect((await run('audit', '3', '--repair')).exitCode).toBe(4);

    for (const argv of [
      ['inspect', 'coupon', '3'],
      ['inspect', 'queue', '3'],
      ['inspect', 'issued', '3'],
      ['inspect', 'user', '3', 'kim'],
      ['dead', 'list', '3'],
      ['dead', 'retry', '3', 'kim'],
      ['dead', 'drop', '3', '--all', '--confirm=3'],
      ['seed', '3', '--name', 'Test', '--stock', '20'],
      ['submit', '3', '--user', 'new'],
      ['use', '3', 'issued'],
    ]) {
      const { exitCode, stderr } = await run(...argv);
      expect(exitCode !== 4 || stderr.includes(named), `${argv.join(' ')}: ${stderr}`).toBe(true);
    }

    for (const path of ['/coupons/3', '/coupons/3/requests/kim', '/coupons/3/requests/nobody']) {
      expect([200, 404, 503], path).toContain((await endpoint.get(path)).status);
    }
    expect([202, 409, 503]).toContain((await endpoint.ask('3', 'fresh')).status);
    expect([200, 409]).toContain((await endpoint.post('/coupons/3/issued/issued/use')).status);
    expect((await endpoint.ask('4', 'fresh')).status).toBe(202);
    expect((await endpoint.get('/coupons/4')).status).toBe(200);
    expect((await endpoint.get('/readyz')).status).toBe(200);
    expect((await endpoint.get('/metrics')).text).toContain('coupon_store_up{store="redis"} 1');

    const drained = await run('drain', '--until-empty', '--eager', '--interval', '50ms');
    expect(drained.exitCode).toBe(4);
    expect(drained.stderr).toContain(named);
    expect(await rows('4')).toEqual(['fresh', 'issued', 'kim', 'lee']);
    expect(await rows('3')).toEqual(['issued']);
    // What is not ours was not touched.
    expect(await stores.redis.type(key)).toBe(found);
  });

  test.each(issuedCases)('an issued hash as a $found concerns its user alone, who is issued in the ledger', async ({ found }) => {
    const key = KEYS.issued('kim');
    await occupy(stores.redis, key, found);
    const named = `found ${found}, expected hash at ${key}`;
    const drained = await run('drain', '--until-empty', '--eager', '--interval', '50ms');
    expect(drained.exitCode).toBe(0);
    expect(drained.stderr).toContain(named);
    expect(await rows('3')).toEqual(['issued', 'kim', 'lee']);
    expect(await stores.redis.hget(KEYS.issued('lee'), 'userId')).toBe('lee');

    const audited = await run('audit', '--scan', '--json');
    expect(audited.json<AuditReport>().findings).toMatchObject([
      { code: 'hash_wrong_type', couponId: '3', count: 1, sample: ['kim'], facts: { key, found, expected: 'hash' } },
    ]);
    expect((await run('inspect', 'user', '3', 'kim')).stdout).toContain(named);
    expect((await endpoint.get('/coupons/3/requests/kim')).body).toMatchObject({ state: 'issued' });
    expect((await endpoint.post('/coupons/3/issued/kim/use')).status).toBe(200);
    expect((await run('use', '3', 'kim')).stderr).toContain('used at');
    expect((await run('audit', '--repair')).exitCode).toBe(4);

    // Moved away, as the message says, a repair writes the hash.
    await stores.redis.rename(key, 'elsewhere');
    expect((await run('audit', '3', '--repair')).exitCode).toBe(0);
    expect(await stores.redis.hget(key, 'used_at')).toMatch(/^20/);
  });

  test.each(issuedCases)('an issued hash as a $found answers a new user of it 503, and others as ever', async ({ found }) => {
    await occupy(stores.redis, KEYS.issued('fresh'), found);
    expect((await endpoint.ask('3', 'fresh')).status).toBe(503);
    expect((await endpoint.get('/coupons/3/requests/fresh')).status).toBe(503);
    expect((await endpoint.ask('3', 'another')).status).toBe(202);
  });

  test.each(wrongTypes('set').map((found) => ({ found })))('the index as a $found is named, and stops no coupon', async ({ found }) => {
    await occupy(stores.redis, 'coupon_index', found);
    const named = `found ${found}, expected set at coupon_index`;
    expect((await run('inspect')).stderr).toContain(named);
    const audited = await run('audit', '--json');
    expect(audited.json<AuditReport>().findings).toMatchObject([
      { code: 'key_wrong_type', couponId: '', facts: { key: 'coupon_index', found } },
    ]);
    expect((await run('audit', '--repair')).exitCode).toBe(4);
    expect((await run('drain', '--until-empty')).exitCode).toBe(0);
    expect(await rows('3')).toEqual(['issued', 'kim', 'lee']);
    expect((await run('seed', '5', '--name', 'Test', '--stock', '1')).stderr).toContain(named);
    expect((await endpoint.get('/readyz')).status).toBe(200);
  });

  test.each(cases)('$name as a $found goes with a reset of its coupon', async ({ name, found }) => {
    await occupy(stores.redis, KEYS[name], found);
    const argv = ['seed', '3', '--name', 'Anew', '--stock', '5', '--reset', '--confirm=3'];
    expect((await run(...argv)).exitCode).toBe(0);
    expect((await run('audit', '3')).exitCode).toBe(0);
  });
});
