import { describe, expect, it } from 'vitest';
import { readiness } from '../../../src/campaign/readiness/check-readiness.ts';
import { isReady, unreadyText, type LedgerCondition, type RedisCondition } from '../../../src/campaign/readiness/readiness.ts';

describe('readiness', () => {
  let asked = 0;
  let now = 0;
  const check = (redis: () => Promise<RedisCondition>, ledger: () => Promise<LedgerCondition>) =>
    readiness({ redis: { condition: redis }, ledger: { condition: ledger } }, () => now);
  const up = async () => 'up' as const;

  it('asks both stores once a second, however many probes there are', async () => {
    const ready = check(async () => {
      asked += 1;
      return 'up';
    }, up);
    const all = await Promise.all([ready(), ready(), ready()]);
    now = 999;
    expect([...all, await ready()].every(isReady)).toBe(true);
    expect(asked).toBe(1);
    now = 1_000;
    await ready();
    expect(asked).toBe(2);
  });

  it('does not wait for a store that never answers, and says which one it is', async () => {
    const state = await check(up, () => new Promise(() => undefined))();
    expect(state).toEqual({ redis: 'up', ledger: 'timeout' });
    expect(isReady(state)).toBe(false);
    expect(unreadyText(state)).toBe('The ledger does not answer in time.');
  });

  it('needs both', async () => {
    const state = await check(
      async () => 'replica',
      async () => 'readonly',
    )();
    expect(state).toEqual({ redis: 'replica', ledger: 'readonly' });
    expect(unreadyText(state)).toBe('Redis is a replica and takes no writes; the ledger is read only.');
  });
});
