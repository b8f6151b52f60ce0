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
    ['state', '"open"', 'open'],
    ['state', 'OPEN', 'open'],
    ['state', '"PAUSED"', 'paused'],
    ['state', 'ACTIVE', 'paused'],
    ['state', 'null', 'paused'],
    ['state', '', 'paused'],
    ['returned', 'null', '0'],
    ['given_back', '"0"', '0'],
    ['acked', 'null', '1'],
    ['fence', '1.0', '1'],
    ['version', 'undefined', '1'],
    ['total', '["java.lang.Long",100]', '100'],
  ])('%s as %j takes the coupon out of service, is named everywhere, and is mended to %s', async (field, text, mended) => {
    await stores.redis.hset('coupon:42', field, text);
    const reason = field === 'state' ? 'state' : 'numbers';

    const asked = await endpoint.ask('42', 'kim');
    if (field === 'state') expect(asked).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await endpoint.get('/coupons/42')).body).toMatchObject({ state: 'suspect', accepting: false });
    expect((await run('inspect')).stdout).toContain('suspect');
    expect((await run('inspect', 'coupon', '42')).stdout.replaceAll(/\s+/g, ' ')).toContain(SUSPECT_REASONS[reason]);
    const report = await audited();
    expect(report.ok).toBe(false);
    expect(report.findings).toContainEqual(expect.objectContaining({ code: 'suspect', facts: { reason } }));

    expect((await run('audit', '42', '--repair')).exitCode).toBe(0);
    expect(await hash(field)).toBe(mended);
    expect(await hash('suspect')).toBe('');
    expect((await audited()).ok).toBe(true);
    await run('resume', '42');
    expect((await endpoint.ask('42', 'lee')).status).toBe(202);
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
