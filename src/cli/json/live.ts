/** What `top --json` prints for each look, one document a line; `dashboard` serves the same at /view.json. */
import { z } from 'zod';
import type { LiveView } from '../../operate/live/live-view.ts';
import { count, couponState, instant, text } from './parts.ts';

const rate = z.number().nullable();
const store = z.object({ up: z.boolean(), problem: text.nullable(), silentMs: z.number().nullable() });

const coupon = z.object({
  ...couponState,
  acceptedPerSecond: rate,
  issuedPerSecond: rate,
  timeLeftMs: z.number().nullable(),
  history: z.object({ accepted: z.array(rate), issued: z.array(rate) }),
});

const worker = z.object({
  worker: text,
  users: count,
  claims: count,
  coupons: z.array(text),
  leaseLeftMs: z.number().nullable(),
  lastIssuedMs: z.number().nullable(),
});

export const topJson = z.object({
  at: instant,
  stores: z.object({ redis: store, ledger: store }),
  totals: z.object({ coupons: count, waiting: count, claimed: count, acceptedPerSecond: rate, issuedPerSecond: rate }),
  coupons: z.array(coupon),
  workers: z.array(worker),
  warnings: z.array(z.object({ code: text, couponId: text.nullable(), text, fix: text })),
}) satisfies z.ZodType<LiveView>;
