/**
 * The shape of a scenario file, version 1, in the words of k6 and Artillery where they have one. Unknown keys are refused:
 * a setting that is silently ignored is how a load test comes to lie. What fields mean together is checked in `scenario.ts`.
 */
import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { couponSchema, parsed } from './event.ts';
import { CHECKS } from './integrity.ts';
import { ADMISSION_OUTCOMES } from './outcome.ts';
import { parseTarget } from './target.ts';
import { timelineSchema } from './timeline.ts';

export const MAX_USERS = 10_000_000;
export const MAX_VUS = 10_000;
const LONGEST_PHASE = '24h';

function duration(fallback: string, longest = LONGEST_PHASE, least = 0) {
  return parsed(parseDuration)
    .refine((ms) => ms <= parseDuration(longest), `must be at most ${longest}`)
    .refine((ms) => ms >= least, `must be at least ${least} ms`)
    .prefault(fallback);
}

const whole = (min: number, max: number) => z.int().min(min).max(max);
const text = (max: number) => z.string().min(1).max(max);
const headerText = z.string().regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII on one line');
const status = whole(100, 599);

const coupon = couponSchema.extend({ name: couponSchema.shape.name.optional() });

const request = z.strictObject({
  method: z.enum(['POST', 'PUT', 'PATCH', 'GET', 'DELETE']).default('POST'),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'must start with "/" and have no spaces')
    .default('/coupons/{{couponId}}/requests'),
  headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name'), headerText).default({}),
  json: z.json().optional(),
  timeout: duration('5s', '10m', 1),
});

const users = z.strictObject({
  count: whole(1, MAX_USERS),
  prefix: z.string().max(100).default('user-'),
  start: whole(0, 1_000_000_000_000).default(1),
  duplicateRate: z.number().min(0).max(10).default(0),
  impatience: z.number().min(0).max(1).default(0.5),
  seed: whole(0, 4_294_967_295).default(1),
});

/** `code` is the stable code of an RFC 9457 problem document, for services that say two things with one status. */
const rule = z.strictObject({ status: z.union([status, z.array(status).min(1).max(50)]), code: text(100).optional() });
const outcomes = z.strictObject(
  Object.fromEntries(
    [...ADMISSION_OUTCOMES, 'unknown'].map((outcome) => [outcome, z.union([rule, z.array(rule).min(1).max(20)]).optional()]),
  ),
);

const phase = z.strictObject({
  name: text(100).optional(),
  executor: z.literal('shared-iterations', 'is not supported; this version knows "shared-iterations"').default('shared-iterations'),
  vus: whole(1, MAX_VUS),
  iterations: whole(1, 10 * MAX_USERS).optional(),
  maxDuration: duration('10m', LONGEST_PHASE, 1),
});

export const scenarioSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only version there is'),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1–64 letters, digits, ".", "_" or "-"'),
  description: z.string().max(2_000).default(''),
  target: parsed(parseTarget).optional(),
  coupons: z.array(coupon).min(1).max(100),
  request: request.prefault({}),
  users,
  outcomes: outcomes.optional(),
  phases: z.array(phase).min(1).max(100),
  gracefulStop: duration('10s', '1h'),
  settle: z.strictObject({ timeout: duration('2m'), quietFor: duration('500ms', '10m') }).prefault({}),
  drain: z
    .strictObject({
      interval: duration('2s', '1h', 1),
      batch: whole(1, 1_000).default(100),
      eager: z.boolean().default(false),
      lease: duration('30s', '1h', 1_000),
    })
    .prefault({}),
  timeline: timelineSchema,
  thresholds: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1).max(20)])).default({}),
  verify: z.strictObject({ skip: z.array(z.enum(CHECKS)).default([]) }).prefault({}),
});

export type ScenarioDocument = z.output<typeof scenarioSchema>;
