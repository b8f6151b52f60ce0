import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { redisAdmission } from '../../../src/stores/redis/admission.ts';
import { redisClaims } from '../../../src/stores/redis/claims.ts';
import { redisCoupons } from '../../../src/stores/redis/coupons.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { issueWaiting } from '../../support/issue.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

/** A coupon of plain keys, and an endpoint that spells them with a hash tag. */
let stores: TestStores;
let other: TestEndpoint;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c' });
  await stores.admission.admit('c', [{ userId: 'kim', requestId: 'r' }]);
  await issueWaiting(stores, 'c');
  const { connection } = stores;
  const style = 'hash-tag';
  other = await openEndpoint(
    stores,
    {
      admission: redisAdmission(connection, style),
      coupons: redisCoupons(connection, style),
      claims: redisClaims(connection, style),
      reader: redisReader(connection, style),
    },
    { keyStyle: style },
  );
  return () => other[Symbol.asyncDispose]();
});

const agree = async (): Promise<number> => (await cli(['audit', 'c', '--scan', ...at(stores)])).exitCode;

test('every route says 503, and both stores stay as they are', async () => {
  const replies = [
    await other.get('/coupons/c'),
    await other.get('/coupons/c/requests/kim'),
    await other.ask('c', 'lee'),
    await other.post('/coupons/c/issued/kim/use'),
    await other.post('/coupons/c/issued/nobody/use'),
  ];
  for (const reply of replies) expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(await stores.sql('SELECT used_at FROM issued_coupons')).toEqual([{ used_at: null }]);
  expect(await agree()).toBe(0);
});

test('`use` on the command line names the style, and changes nothing', async () => {
  const { exitCode, stderr } = await cli(['use', 'c', 'kim', '--key-style', 'hash-tag', ...at(stores)]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/KEY_STYLE_MISMATCH[^]*--key-style plain/);
  expect(await agree()).toBe(0);
});

test('a use that was made before is not read in the other style either', async () => {
  expect((await cli(['use', 'c', 'kim', '--use-id', 'order-1', ...at(stores)])).exitCode).toBe(0);
  await stores.redis.hset('issued_coupon:coupon:c-user:kim', 'used_at', '');
  const again = await other.post('/coupons/c/issued/kim/use', undefined, { 'idempotency-key': 'order-1' });
  expect(again.status).toBe(503);
  expect((await stores.redis.keys('*{c}*')).length).toBe(0);
});
