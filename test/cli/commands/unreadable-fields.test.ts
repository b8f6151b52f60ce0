import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../src/audit/audit.ts';
import { SUSPECT_REASONS } from '../../../src/campaign/known-coupon.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('a field of the coupon that another program wrote', () => {
  let stores: TestStores;
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    stores = await openStores();
    endpoint = await openEndpoint(stores);
  });
  afterAll(async () => {
    await endpoint[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 100 });
    await endpoint.ask('42', 'early');
    await run('drain', '--once');
  });
  const run = (...argv: string[]) => cli([...at(stores), ...argv]);
  const audited = async () => (await run('audit', '42', '--json')).json<AuditReport>();
  const hash = (field: string) => stores.redis.hget('coupon:42', field);

  it.each([
    ['"open"', 'open'],
    ['OPEN', 'open'],
    ['"PAUSED"', 'paused'],
    ['ACTIVE', 'paused'],
    ['null', 'paused'],
    ['', 'paused'],
  ])('a state %j takes the coupon out of service, is named everywhere, and is mended to %s', async (text, mended) => {
    await stores.redis.hset('coupon:42', 'state', text);
    expect(await endpoint.ask('42', 'kim')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await endpoint.get('/coupons/42')).body).toMatchObject({ state: 'suspect', accepting: false });
    expect((await run('inspect')).stdout).toContain('suspect');
    expect((await run('inspect', 'coupon', '42')).stdout.replaceAll(/\s+/g, ' ')).toContain(SUSPECT_REASONS['state']);
    expect((await audited()).findings).toMatchObject([{ code: 'suspect', facts: { reason: 'state' } }]);

    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    expect([await hash('state'), await hash('suspect')]).toEqual([mended, '']);
    expect((await audited()).ok).toBe(true);
    await run('resume', '42');
    expect((await endpoint.ask('42', 'lee')).status).toBe(202);
  });

  it.each([
    ['returned', 'null', '0'],
    ['given_back', '"0"', '0'],
    ['acked', 'null', '1'],
    ['fence', '1.0', '1'],
    ['version', 'undefined', '1'],
    ['total', '["java.lang.Long",100]', '100'],
  ])('%s as %j keeps nobody out, is named by an audit, and is mended to %s', async (field, text, mended) => {
    await stores.redis.hset('coupon:42', field, text);
    expect((await endpoint.get('/coupons/42')).body).toMatchObject({ state: 'open', accepting: true });
    expect((await endpoint.ask('42', 'kim')).status).toBe(202);
    const found = (await audited()).findings.find(({ code }) => code === 'settings_mismatch');
    expect(found?.facts['fields']).toContain(field);
    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    expect(await hash(field)).toBe(mended);
    expect((await audited()).ok).toBe(true);
  });

  it.each([
    ['returned', ['revoke', '42', 'early', '--reason', 'x', '--return-stock']],
    ['total', ['restock', '42', '--add', '5', '--op-id', 'c0ffee00-0000-4000-8000-000000000042']],
  ])('%s that is no number stops a change before anything is written; it is finished after a repair', async (field, argv) => {
    const before = await hash('stock');
    await stores.redis.hset('coupon:42', field, 'null');
    const refused = await run(...argv);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).not.toContain('REDIS_REFUSED');
    expect([await hash('stock'), await hash('given_back')]).toEqual([before, null]);
    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    const again = await run(...argv);
    expect({ exitCode: again.exitCode, stderr: again.stderr }).toMatchObject({ exitCode: 0 });
    expect((await audited()).ok).toBe(true);
    expect(Number(await hash('stock'))).toBe(Number(before) + (field === 'total' ? 5 : 1));
  });
});
