import { usageError } from './errors.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Largest unit first, each at most once: `1m30s`, as k6 and Go write it. */
const DURATION = /^(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = ['d', 'h', 'm', 's', 'ms'] as const;

/** A hundred years. Nothing in a campaign is longer, and every sum of two stays exact. */
const LONGEST_MS = 36_525 * UNIT_MS.d;

/**
 * Milliseconds of `30s`, `500ms`, `30d`, `1m30s`.
 *
 * Stricter than the `ms` package on purpose: that one takes `1M` for a minute, `-5s`, and a bare `2` for 2 ms.
 *
 * @throws CouponError `BAD_DURATION`
 */
export function parseDuration(text: string, name = 'duration'): number {
  const match = DURATION.exec(text);
  const value = match ? UNITS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * UNIT_MS[unit], 0) : Number.NaN;
  if (!(value <= LONGEST_MS)) {
    throw usageError(
      'BAD_DURATION',
      `${name}: "${text}" is not a duration`,
      'Write whole numbers with units: 500ms, 2s, 1m30s, 12h or 30d.',
    );
  }
  return value;
}

/**
 * The same, where longer ones make no sense.
 *
 * @throws CouponError `BAD_DURATION`
 */
export function parseDurationUpTo(mostMs: number, text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms <= mostMs) return ms;
  throw usageError('BAD_DURATION', `${name}: "${text}" is too long`, `Use at most ${durationFlag(mostMs)}.`);
}

/** `5 h 33 min`, `12 s`, `340 ms`: the two largest units, for people. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** Canonical flag form of a duration (`90000` → `90s`), exact for every value that {@link parseDuration} returns. */
export function durationFlag(ms: number): string {
  const unit = UNITS.find((candidate) => ms > 0 && ms % UNIT_MS[candidate] === 0) ?? 'ms';
  return `${ms / UNIT_MS[unit]}${unit}`;
}
