import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../src/audit/audit.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('coupon-cli audit', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (...argv: string[]) => cli(['audit', ...argv, ...at(stores)]);

  it('says so when there are no coupons', async () => {
    const result = await run();
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('no coupons yet');
    expect((await run('--json')).json()).toEqual({ ok: true, coupons: [], findings: [], hashOnly: 'unchecked', notes: [] });
  });

  it('ends with 0 when both stores agree, and says what was not looked at', async () => {
    await stores.seed({ id: 'sale', name: '여름맞이 쿠폰' });
    await stores.admission.admit('sale', [{ userId: 'user-1', requestId: 'r' }]);
    const result = await run();
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('✔ both stores agree: 1 coupon');
    expect(result.stdout).toContain('--scan');
    expect((await run('sale', '--scan')).stdout).not.toContain('--scan');
  });

  it('says of an emptied Redis that it is empty, and names the coupons with one finding together', async () => {
    for (let i = 10; i < 22; i += 1) await stores.seed({ id: `sale-${i}` });
    await stores.redis.flushdb();
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(4);
    expect(stdout.match(/Redis has none of these coupons/g)).toHaveLength(1);
    expect(stdout.match(/\[coupon_missing\]/g)).toHaveLength(1);
    expect(stdout).toMatch(/✘ 12 coupons: [^\n]+\n {2}sale-10, .*sale-19 … and 2 more\n/);
    expect(stdout).toContain('Next: `coupon-cli audit --repair --dry-run`');
  });

  it.each([
    ['one of two is gone', ['sale-1', 'sale-2'], ['coupon:sale-1', 'coupon_life:sale-1']],
    ['there is only one', ['sale-1'], ['coupon:sale-1', 'coupon_life:sale-1']],
  ])('does not call Redis empty where %s', async (_name, ids, lost) => {
    for (const id of ids) await stores.seed({ id });
    await stores.redis.del(...lost);
    const { stdout } = await run();
    expect(stdout).toContain('✘ coupon sale-1: ');
    expect(stdout).not.toContain('Redis has none');
  });

  it('says on a terminal how far it is', async () => {
    await stores.seed({ id: 'sale', total: 5_000 });
    await stores.admission.admit(
      'sale',
      Array.from({ length: 5_000 }, (_, i) => ({ userId: `user-${i}`, requestId: 'r' })),
    );
    const argv = ['audit', ...at(stores)];
    const result = await cli(argv, { tty: true, columns: 80 });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toMatch(/auditing coupon sale: \d,000 users so far/);
    expect(await cli([...argv, '--quiet'], { tty: true, columns: 80 })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('ends with 4 and names the coupon and the user when they do not', async () => {
    await stores.seed({ id: 'sale' });
    await stores.admission.admit('sale', [{ userId: 'user-1', requestId: 'r' }]);
    await stores.redis.zrem('coupon_waiting_queue:sale', 'user-1');
    const result = await run();
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/coupon sale, 1 user: accepted, but .* \[lost\]\n {2}user-1\n/);
    const json = await run('sale', '--json');
    expect(json.exitCode).toBe(4);
    expect(json.json<AuditReport>()).toEqual({
      ok: false,
      coupons: [
        {
          couponId: 'sale',
          total: 100,
          stock: 99,
          waiting: 0,
          claimed: 0,
          dead: 0,
          issued: 0,
          inFlight: 0,
          adoptable: 0,
          skipped: null,
        },
      ],
      findings: [{ code: 'lost', couponId: 'sale', count: 1, sample: ['user-1'], facts: {}, docs: 'docs/findings.md#lost' }],
      hashOnly: 'unchecked',
      notes: [],
    });
  });

  it('makes control characters of a forged user visible', async () => {
    await stores.seed({ id: 'sale' });
    await stores.redis.hset('issued_coupon:coupon:sale-user:a\u001b[2Jb', 'userId', 'x');
    const result = await run('--scan');
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toContain('a\\x1b[2Jb');
  });

  it('refuses an unknown coupon, a bad id and an unknown option with 2', async () => {
    for (const argv of [['nothing'], ['a b'], ['--repare']]) {
      const result = await run(...argv);
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    }
    expect((await run('nothing')).stderr).toContain('COUPON_UNKNOWN');
  });

  it('ends with 3 when a store cannot be reached', async () => {
    const noRedis = await cli(['audit', '--redis-url', 'redis://127.0.0.1:1', '--database-url', stores.databaseUrl]);
    const noLedger = await cli(['audit', '--redis-url', stores.redisUrl, '--database-url', 'postgres://127.0.0.1:1/x']);
    expect([noRedis.exitCode, noLedger.exitCode]).toEqual([3, 3]);
  });

  it('has examples in its help', async () => {
    expect((await run('--help')).stdout).toContain('coupon-cli audit summer --scan');
  });
});
