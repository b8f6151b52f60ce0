/** What the commands beside a run of bench print with `--json`; the report of a run has a schema of its own. */
import { z } from 'zod';
import type { Comparison } from '../../bench/compare/compare.ts';
import { CHECKS } from '../../bench/checks/integrity.ts';
import { VERDICT_REASONS } from '../../bench/report/verdict.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import { STRATEGIES } from '../../campaign/strategy.ts';
import { count, text } from './parts.ts';

const couponTotal = z.object({ couponId: text, total: count });

export const benchCheckJson = z.object({
  scenarios: z.array(
    z.object({
      name: text,
      users: count,
      requests: count,
      coupons: z.array(couponTotal),
      untested: z.array(z.object({ check: z.enum(CHECKS), couponId: text, reason: text.nullable() })),
      why: z.array(text),
      actions: z.array(text),
    }),
  ),
});

const headers = z.record(text, text);
export const benchTryJson = z.object({
  userId: text,
  couponId: text,
  exchanges: z.array(
    z.object({
      step: text,
      request: z.object({ method: text, url: text, headers, body: text }),
      reply: z.object({ status: count, headers, body: text }),
    }),
  ),
  outcome: z.enum(OUTCOMES),
});

const secrets = z.array(text);
/** The scenario itself, or the file that `--out` wrote. */
export const benchInitJson = z.union([z.object({ scenario: text, secrets }), z.object({ file: text, secrets })]);

const integrity = z.enum(['pass', 'held', 'fail', 'inconclusive']);
const number = z.number().nullable();

export const benchHistoryJson = z.object({
  runs: z.array(
    z.object({
      folder: text,
      scenario: text,
      startedAt: text,
      verdict: integrity,
      exitCode: count,
      requests: count,
      accepted: count,
      acceptsPerSecond: number,
      p50: number,
      p99: number,
    }),
  ),
});

const run = z.object({
  scenario: text,
  strategy: z.enum(STRATEGIES).nullable(),
  requests: count,
  startedAt: text,
  verdict: z.object({
    integrity,
    thresholds: z.enum(['pass', 'fail']),
    reasons: z.array(z.object({ code: z.enum(VERDICT_REASONS), facts: z.record(text, z.union([z.number(), text])) })).exactOptional(),
  }),
  proof: text,
});

export const benchCompareJson = z.object({
  schemaVersion: z.literal(1),
  before: run,
  after: run,
  different: z.array(z.object({ name: text, before: text, after: text })),
  figures: z.array(
    z.object({
      metric: text,
      aggregation: text,
      unit: z.enum(['ms', '/s']).nullable(),
      better: z.enum(['less', 'more']).nullable(),
      before: number,
      after: number,
      changePercent: number,
    }),
  ),
  failOn: z.array(
    z.object({ expr: text, metric: text, aggregation: text, before: number, after: number, change: number, hit: z.boolean() }),
  ),
  exitCode: z.union([z.literal(0), z.literal(99)]),
}) satisfies z.ZodType<Comparison>;
