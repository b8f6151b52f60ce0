import { durationFlag, formatDuration } from '../lib/duration.ts';

export interface Pace {
  batch: number;
  intervalMs: number;
  eager: boolean;
}

/** Issues per second and coupon that this pace allows; Infinity when nothing but the stores limits it. */
export function perSecond({ batch, intervalMs, eager }: Pace): number {
  return eager || intervalMs === 0 ? Number.POSITIVE_INFINITY : (batch * 1_000) / intervalMs;
}

/** What a pace means for those who wait, in one line, with the flags that change it. */
export function paceText(pace: Pace, waiting: number | null): string {
  const rate = perSecond(pace);
  if (!Number.isFinite(rate)) return `batches of ${pace.batch}, as fast as the stores take them`;
  const limit = `at most ${Number(rate.toFixed(1))} coupons/s per coupon (${pace.batch} every ${durationFlag(pace.intervalMs)})`;
  if (waiting === null || waiting === 0) return limit;
  return `${limit}; ${waiting} waiting → ${formatDuration((waiting / rate) * 1_000)}; faster: --batch 1000 or --eager`;
}
