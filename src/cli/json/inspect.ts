/** What the commands that look at a campaign print with `--json`. */
import { z } from 'zod';
import type { CouponDetail, CouponList } from '../../operate/inspect/coupons.ts';
import type { IssuedList, QueueList, UserDetail } from '../../operate/inspect/users.ts';
import type { DeadList } from '../../operate/dead.ts';
import { count, couponState, instant, text, wrongType } from './parts.ts';

const couponLine = z.object({
  ...couponState,
  wrongType: wrongType.nullable(),
  opensAt: instant.nullable(),
  closesAt: instant.nullable(),
  issuedLastMinute: count,
  timeLeftMs: z.number().nullable(),
});

const page = { couponId: text, total: count, next: text.nullable() };

export const inspectJson = z.object({
  coupons: z.array(couponLine),
  total: count,
  next: text.nullable(),
  wrongIndex: wrongType.nullable(),
  otherKeys: count.exactOptional(),
  restarted: z.literal(true).exactOptional(),
}) satisfies z.ZodType<CouponList>;

const inBoth = z.object({ ledger: z.number().int(), redis: z.number().int().nullable() });

export const inspectCouponJson = couponLine.extend({
  expiresAt: instant.nullable(),
  validForMs: count.nullable(),
  keyStyle: text,
  admitted: count.nullable(),
  returned: z.number().int().nullable(),
  epoch: z.object({ ledger: text, redis: text.nullable() }),
  version: inBoth,
  fence: inBoth,
}) satisfies z.ZodType<CouponDetail>;

export const inspectQueueJson = z.object({
  ...page,
  queue: z.array(z.object({ position: count, userId: text, requestedAt: instant.nullable(), waitingMs: z.number().nullable() })),
  restarted: z.boolean(),
}) satisfies z.ZodType<QueueList>;

const issuedLine = z.object({
  userId: text,
  requestedAt: instant,
  issuedAt: instant,
  expiresAt: instant.nullable(),
  usedAt: instant.nullable(),
  revokedAt: instant.nullable(),
  worker: text,
  fence: z.number().int(),
  deliveries: z.number().int(),
});

export const inspectIssuedJson = z.object({ ...page, issued: z.array(issuedLine) }) satisfies z.ZodType<IssuedList>;

const place = z.enum(['issued', 'dead', 'claimed', 'waiting', 'admitted']);

export const inspectUserJson = z.object({
  couponId: text,
  userId: text,
  place: place.nullable(),
  places: z.array(place),
  admitted: z.object({ requestedAt: instant.nullable(), requestId: text }).nullable(),
  waiting: z.object({ position: count.nullable(), requestedAt: instant.nullable() }).nullable(),
  claim: z.object({ worker: text, fence: count, deliveries: count, faults: count, leaseUntil: instant.nullable() }).nullable(),
  dead: text.nullable(),
  hash: z.record(text, text).nullable(),
  occupied: wrongType.nullable(),
  ledger: issuedLine.nullable(),
  story: z.array(
    z.object({
      at: text.nullable(),
      event: z.enum(['asked', 'claimed', 'waiting', 'dead', 'issued', 'used', 'revoked', 'forgotten']),
      detail: text,
    }),
  ),
}) satisfies z.ZodType<UserDetail>;

export const deadListJson = z.object({
  ...page,
  dead: z.array(z.object({ userId: text, reason: text, requestedAt: instant.nullable(), deliveries: count, faults: count })),
}) satisfies z.ZodType<DeadList>;

export const auditJson = z.looseObject({
  ok: z.boolean(),
  coupons: z
    .array(
      z.object({
        couponId: text,
        total: count,
        stock: z.number().int().nullable(),
        waiting: count,
        claimed: count,
        dead: count,
        issued: count,
        inFlight: count,
        adoptable: count,
        skipped: z.enum(['seeding', 'adopting', 'resetting', 'key_style', 'changed', 'not_in_ledger', 'wrong_type']).nullable(),
      }),
    )
    .optional(),
  findings: z
    .array(z.object({ code: text, couponId: text, count, sample: z.array(text), facts: z.record(text, z.unknown()), docs: text }))
    .optional(),
  notes: z.array(z.object({ code: text, couponId: text.nullable(), count, sample: z.array(text), docs: text })).optional(),
  hashOnly: z.enum(['checked', 'unchecked']).optional(),
  otherKeys: count.exactOptional(),
});
