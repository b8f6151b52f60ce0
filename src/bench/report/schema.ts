/**
 * The report of `bench` as a schema: what `schemas/bench-report.schema.json` is made from, and what a report read from a file is
 * held against. The types in `bench-report.ts` have the explanations; `SAME` at the end keeps both in step.
 */
import { z } from 'zod';
import { CHECK_STATUSES, CHECKS, REASONS } from '../checks/integrity.ts';
import { CLOSED_OUTCOMES, OTHER_OUTCOMES, OUTCOMES } from '../../campaign/outcome.ts';
import { DISRUPTIONS } from '../scenario/timeline.ts';
import { STRATEGIES } from '../../campaign/strategy.ts';
import { VERDICT_REASONS } from './verdict.ts';
import { NOTES } from './report.ts';
import { TELLING_HEADERS } from './unexplained.ts';
import type { BenchReport } from './report.ts';

const MAX_HISTOGRAM = 100_000;

const count = z.number().int().nonnegative();
const countOrNull = count.nullable();
const amount = z.number().nonnegative();
const outcome = z.enum(OUTCOMES);

const latency = z.object({ p50: amount, p90: amount, p99: amount, p999: amount, max: amount });

const throughput = z.object({
  seconds: amount,
  requestsPerSecond: amount,
  acceptsPerSecond: amount.nullable(),
  issuesPerSecond: amount.nullable(),
  timeUntilDrainedMs: amount.nullable(),
});

const timePoint = z.object({
  second: amount,
  sent: count,
  outcomes: z.partialRecord(outcome, count),
  latency: z.partialRecord(outcome, z.object({ p50: amount, p99: amount })),
});

const sample = z.object({
  second: amount,
  couponId: z.string(),
  stock: z.number().nullable(),
  waiting: count,
  claimed: count,
  issued: countOrNull,
});

const requests = z.object({ planned: count, sent: count, answered: count, unanswered: count, dropped: count, left: count });

const counts = z.array(count);
const flow = z.object({
  stepSeconds: z.number().positive(),
  coupons: z.array(z.object({ couponId: z.string(), stock: z.number().int(), accepted: counts, issued: counts.nullable() })),
  waiting: z.object({ users: counts, most: count, mostSecond: z.number() }).nullable(),
  untold: count,
  clockBehindMs: amount,
});

const disruption = z.object({
  action: z.enum(DISRUPTIONS),
  second: amount,
  tookSeconds: amount.nullable(),
  why: z.exactOptional(z.string()),
});

const check = z.object({
  check: z.enum(CHECKS),
  couponId: z.string(),
  status: z.enum(CHECK_STATUSES),
  reason: z.enum(REASONS).nullable(),
  count,
  sample: z.array(z.string()),
  facts: z.record(z.string(), z.number()),
});

const coupon = z.object({
  couponId: z.string(),
  total: count,
  accepted: count,
  issued: countOrNull,
  revoked: countOrNull,
  stock: z.number().nullable(),
  waiting: countOrNull,
  claimed: countOrNull,
  dead: countOrNull,
});

const generator = z.object({
  vus: count,
  requestsPerSecond: amount,
  eventLoopUtilization: amount,
  eventLoopLagMs: z.object({ p50: amount, p99: amount, max: amount }),
  startLagMs: z.object({ p50: amount, p99: amount, max: amount }).nullable(),
  cpuShare: amount.nullable(),
  reconnects: count,
  faults: z.record(z.string(), count),
  limited: z.boolean(),
});

const facts = z.record(z.string(), z.union([z.number(), z.string()]));

const unexplained = z.object({
  outcome,
  status: count,
  contentType: z.string().nullable(),
  body: z.string(),
  count,
  headers: z.exactOptional(z.partialRecord(z.enum(TELLING_HEADERS), z.string())),
});

/** A report as read: those from before some outcomes existed say nothing about them. */
export function withAllOutcomes(read: unknown): unknown {
  const outcomes = (read as { outcomes?: unknown } | null)?.outcomes;
  if (typeof outcomes !== 'object' || outcomes === null) return read;
  const none = Object.fromEntries([...OTHER_OUTCOMES, ...CLOSED_OUTCOMES].map((name) => [name, 0]));
  return { ...(read as object), outcomes: { ...none, ...outcomes } };
}

export const benchReportSchema = z.object({
  schemaVersion: z.literal(1),
  scenario: z.object({
    name: z.string(),
    description: z.string(),
    target: z.string(),
    strategy: z.enum(STRATEGIES).nullable(),
    users: count,
    requests: count,
    coupons: z.array(z.object({ couponId: z.string(), total: count })),
    skip: z.array(z.enum(CHECKS)),
    perUser: z.exactOptional(count.nullable()),
  }),
  startedAt: z.iso.datetime(),
  requests: z.exactOptional(requests),
  outcomes: z.record(outcome, count),
  latency: z.partialRecord(outcome, latency),
  latencyFromPlanned: z.partialRecord(outcome, latency),
  // It inflates when it is read: a histogram with three digits stays far below this.
  histograms: z.partialRecord(outcome, z.base64().max(MAX_HISTOGRAM)),
  throughput,
  stepSeconds: z.number().positive(),
  timeseries: z.array(timePoint),
  flow: z.exactOptional(flow),
  samples: z.array(sample),
  disruptions: z.exactOptional(z.array(disruption)),
  thresholds: z.array(z.object({ metric: z.string(), expr: z.string(), actual: z.number().nullable(), ok: z.boolean() })),
  integrity: z.array(check),
  coupons: z.array(coupon),
  generator,
  notes: z.array(z.object({ code: z.enum(NOTES), facts: z.exactOptional(facts) })),
  unexplained: z.exactOptional(z.array(unexplained)),
  environment: z.exactOptional(z.record(z.string(), z.string())),
  rounds: z.exactOptional(z.object({ planned: count, run: count, shown: count })),
  verdict: z.object({
    integrity: z.enum(['pass', 'held', 'fail', 'inconclusive']),
    thresholds: z.enum(['pass', 'fail']),
    reasons: z.exactOptional(z.array(z.object({ code: z.enum(VERDICT_REASONS), facts }))),
  }),
  exitCode: count,
});

/** The JSON schema (draft 2020-12) that the package ships; `npx vitest run test/bench/report/schema.test.ts -u` writes it. */
export function benchReportJsonSchema(): object {
  return { ...z.toJSONSchema(benchReportSchema), title: 'Report of coupon-cli bench, schemaVersion 1' };
}

type Read = z.infer<typeof benchReportSchema>;
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : never) : never;
/** Does not compile when schema and type say different things. */
true satisfies Same<Read, BenchReport>;
