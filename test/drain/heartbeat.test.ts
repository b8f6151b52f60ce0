import { describe, expect, it } from 'vitest';
import type { DrainPorts } from '../../src/drain/ports.ts';
import { drainHeartbeat } from '../../src/drain/heartbeat.ts';
import { liveness, quietLimitMs } from '../../src/campaign/readiness/liveness.ts';

describe('a loop may be quiet', () => {
  it.each([
    ['for three intervals', { intervalMs: 60_000, leaseMs: 30_000 }, 180_000],
    ['for as long as one slow step, however short the interval', { intervalMs: 0, leaseMs: 30_000 }, 20_000],
    ['for longer when the lease lets a batch wait for longer', { intervalMs: 2_000, leaseMs: 300_000 }, 110_000],
  ])('%s', (_name, pace, limitMs) => {
    expect(quietLimitMs(pace)).toBe(limitMs);
  });

  it('before it has stores to work with', () => {
    expect(liveness(null, 1_000_000, 20_000)).toEqual({ alive: true, quietMs: 0, limitMs: 20_000 });
  });

  it('up to the limit and not beyond', () => {
    expect(liveness(1_000, 21_000, 20_000)).toMatchObject({ alive: true, quietMs: 20_000 });
    expect(liveness(1_000, 21_001, 20_000)).toMatchObject({ alive: false, quietMs: 20_001 });
  });
});

describe('the pulse of a drain', () => {
  const settle: { resolve: (value: never[]) => void; reject: (error: Error) => void }[] = [];
  const coupons = () => new Promise<never[]>((resolve, reject) => settle.push({ resolve, reject }));
  const ports = { claims: {}, coupons: {}, ledger: { coupons } } as unknown as DrainPorts;

  it('is tracked whenever a store answers, well or not, and when a pass ends; a call under way is none', async () => {
    let now = 0;
    const pulse = drainHeartbeat({ intervalMs: 0, leaseMs: 30_000 }, () => now);
    now = 100_000;
    expect(pulse.liveness()).toMatchObject({ alive: true });
    const { ledger } = pulse.tracked(ports);
    now += 20_001;
    expect(pulse.liveness()).toMatchObject({ alive: false, quietMs: 20_001 });

    const answered = ledger.coupons();
    expect(pulse.liveness().alive).toBe(false);
    settle.pop()!.resolve([]);
    expect(await answered).toEqual([]);
    expect(pulse.liveness()).toMatchObject({ alive: true, quietMs: 0 });

    const refused = ledger.coupons();
    now += 20_001;
    expect(pulse.liveness().alive).toBe(false);
    settle.pop()!.reject(new Error('down'));
    await expect(refused).rejects.toThrow('down');
    expect(pulse.liveness().alive).toBe(true);

    now += 20_001;
    pulse.beat();
    expect(pulse.liveness().alive).toBe(true);
  });
});
