import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RepairReport } from '../../../src/audit/repair/repair.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('coupon-cli audit --repair', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: 'sale' });
    await stores.admission.admit('sale', [{ userId: 'user-1', requestId: 'r' }]);
  });

  const run = (...argv: string[]) => cli(['audit', ...argv, ...at(stores)]);
  const lose = () => stores.redis.zrem('coupon_waiting_queue:sale', 'user-1');

  it('without anything to mend is an audit', async () => {
    const result = await run('--repair');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('✔ both stores agree');
    expect((await run('--repair', '--json')).json<RepairReport>()).toMatchObject({ ok: true, dryRun: false, done: [], after: null });
  });

  it('shows the plan with --dry-run, ends with 4, and changes nothing', async () => {
    await lose();
    const result = await run('--repair', '--dry-run');
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/A repair would[^]*sale\s+requeue\s+1\s+lost\s+user-1/);
    expect(result.stdout).toContain('Nothing was changed.');
    const { plan, before, after } = (await run('--repair', '--dry-run', '--json')).json<RepairReport>();
    expect(plan).toEqual({
      steps: [{ couponId: 'sale', step: 'requeue', count: 1, sample: ['user-1'], because: ['lost'] }],
      manual: [],
      takesAway: [],
      deadLetters: [],
      mayBeMissing: [],
    });
    expect([before.ok, after]).toEqual([false, null]);
    expect(await stores.redis.zcard('coupon_waiting_queue:sale')).toBe(0);
  });

  it('says after FLUSHDB how many may be missing, and opens the coupon with --reopen alone', async () => {
    await stores.redis.flushdb();
    const paused = await run('sale', '--repair');
    expect(paused.exitCode).toBe(4);
    expect(paused.stdout).toMatch(/! Up to \d+ accepted users? may be missing of coupon sale: Redis lost its records of them\./);
    expect(paused.stdout).toContain('coupon-cli audit sale --repair --reopen');
    expect((await run('sale')).exitCode).toBe(4);
    const opened = await run('sale', '--repair', '--reopen');
    expect(opened.exitCode).toBe(0);
    expect(opened.stdout).toContain('With --reopen, their coupons may be given to others.');
    expect((await run('sale')).exitCode).toBe(0);
  });

  it.each(['--dry-run', '--confirm', '--reopen'])('refuses %s without --repair', async (flag) => {
    expect(await run('sale', flag)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`${flag} belongs to --repair`) });
  });

  it('mends, audits itself, and ends with 0', async () => {
    await lose();
    const result = await run('sale', '--repair');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/Repaired:[^]*sale\s+requeue\s+1\s+1\s+lost[^]*✔ both stores agree: 1 coupon/);
    expect(await stores.redis.zrange('coupon_waiting_queue:sale', 0, '-1')).toEqual(['user-1']);
  });

  it('says what it did and what is left when a person has to decide', async () => {
    await lose();
    await stores.redis.hset('coupon:other', 'epoch', 'x', 'total', 1, 'stock', 1);
    await stores.redis.sadd('coupon_index', 'other');
    const result = await run('--repair', '--json');
    expect(result.exitCode).toBe(4);
    const report = result.json<RepairReport>();
    expect(report.done).toEqual([{ couponId: 'sale', step: 'requeue', count: 1 }]);
    expect(report.plan.manual).toEqual([
      { couponId: 'other', code: 'coupon_not_in_ledger', advice: expect.stringContaining('DATABASE_URL') },
    ]);
    expect(report.after?.findings.map((found) => found.code)).toEqual(['coupon_not_in_ledger']);
    expect((await run('--repair')).stdout).toMatch(/Left to you:\n! coupon_not_in_ledger in coupon other/);
  });

  it('is what a suspect coupon points at', async () => {
    await stores.redis.hset('coupon:sale', 'suspect', 'fence');
    const drained = await cli(['drain', '--once', ...at(stores)]);
    expect(drained.exitCode).toBe(4);
    expect(drained.stderr).toContain('coupon-cli audit sale --repair --dry-run');
    expect((await run('--repair')).exitCode).toBe(0);
    expect((await cli(['drain', '--once', ...at(stores)])).exitCode).toBe(0);
  });

  it('refuses --dry-run alone', async () => {
    const result = await run('--dry-run');
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('AUDIT_USAGE');
  });
});
