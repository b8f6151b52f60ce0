/** Small parts that the schemas of scenario files share. */
import { z } from 'zod';
import { parseDuration } from '../../lib/duration.ts';
import { parsed } from '../../campaign/event.ts';

export const MAX_USERS = 10_000_000;
export const MAX_COUPONS = 10_000;
export const MAX_VUS = 10_000;
const LONGEST = '24h';

interface DurationBounds {
  /** Longest, as it is written. */
  longest?: string;
  /** Shortest, milliseconds. */
  least?: number;
}

/** A duration such as `500ms`, in milliseconds; with a fallback it may be left out. */
export function duration(bounds: DurationBounds & { fallback: string }): z.ZodPrefault<ReturnType<typeof bounded>>;
export function duration(bounds?: DurationBounds): ReturnType<typeof bounded>;
export function duration({ fallback, ...bounds }: DurationBounds & { fallback?: string } = {}) {
  return fallback === undefined ? bounded(bounds) : bounded(bounds).prefault(fallback);
}

function bounded({ longest = LONGEST, least = 0 }: DurationBounds) {
  return parsed(parseDuration)
    .refine((ms) => ms <= parseDuration(longest), `must be at most ${longest}`)
    .refine((ms) => ms >= least, `must be at least ${least} ms`);
}

export const whole = (min: number, max: number) => z.int().min(min).max(max);
export const text = (max: number) => z.string().min(1).max(max);
