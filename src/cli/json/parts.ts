import { z } from 'zod';
import { OUTCOMES } from '../../campaign/outcome.ts';

export const count = z.number().int().nonnegative();
export const text = z.string();
/** ISO 8601, UTC, milliseconds. */
export const instant = z.iso.datetime({ precision: 3 });
export const wrongType = z.object({ key: text, found: text, expected: text });
export const outcomes = z.object(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count])));
export const done = z.enum(['done', 'finished', 'unchanged', 'planned']);

/** One coupon as it stands in both stores. */
export const couponState = {
  couponId: text,
  name: text,
  state: text,
  suspect: text.nullable(),
  total: count.nullable(),
  stock: z.number().int().nullable(),
  waiting: count.nullable(),
  claimed: count.nullable(),
  dead: count.nullable(),
  issued: count.nullable(),
  oldestWaitingMs: z.number().nullable(),
  timeless: count,
  future: count,
  unreadable: z.array(z.enum(['opens_at', 'closes_at'])).exactOptional(),
  mayBeMissing: count.nullable(),
  server: text.exactOptional(),
};
