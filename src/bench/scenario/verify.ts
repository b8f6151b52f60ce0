/** The parts of a scenario that say where the truth about a run is read, and what is asked of the target before it. */
import { z } from 'zod';
import { CHECKS } from '../checks/integrity.ts';
import type { CheckName } from '../checks/integrity.ts';
import { duration, text, whole } from './schema-parts.ts';
import type { Report } from '../../lib/yaml-file.ts';

/**
 * `own`: the stores of this project. Otherwise what another service keeps: keys in Redis, a list of who was issued (by a query
 * or from an export), both, or nothing, and then the replies are all there is.
 */
export type EvidencePlan = { kind: 'own' } | { kind: 'foreign'; redis: ForeignKeys | null; issued: IssuedListPlan | null };

/** Templates with `{couponId}` and, for `issued`, `{userId}`; null for a key that the service does not have. */
export interface ForeignKeys {
  /** Hash of the coupon. */
  coupon: string | null;
  /** Sorted set of the users who wait. */
  queue: string | null;
  /** Any key, one for each issued user. */
  issued: string | null;
  /** Field of the coupon's hash that holds what is left. */
  stockField: string;
  /** Field that holds how many there are; where it is missing, the scenario's total stands. */
  totalField: string;
}

export type IssuedListPlan =
  | { kind: 'sql'; query: string; timeoutMs: number }
  /** `path` as it is written, `{couponId}` not yet filled in. */
  | { kind: 'csv'; path: string };

export interface ProbePlan {
  /** Follows the target. */
  path: string;
  /** Null: any answer will do. */
  status: readonly number[] | null;
}

const keyTemplate = text(500).nullable();
const status = whole(100, 599);

export const verifySchema = z.strictObject({
  skip: z.array(z.enum(CHECKS)).default([]),
  redis: z
    .strictObject({
      keys: z
        .strictObject({
          coupon: keyTemplate.default('coupon:{couponId}'),
          queue: keyTemplate.default('coupon_waiting_queue:{couponId}'),
          issued: keyTemplate.default('issued_coupon:coupon:{couponId}-user:{userId}'),
        })
        .prefault({}),
      fields: z.strictObject({ stock: text(100).default('stock'), total: text(100).default('total') }).prefault({}),
    })
    .optional(),
  sql: z.strictObject({ query: text(20_000), timeout: duration({ fallback: '30s', longest: '10m', least: 1 }) }).optional(),
  csv: text(1_000).optional(),
  replies: z.literal(true, 'can only be true: then the replies are all that is looked at').optional(),
});

export const settleSchema = z.strictObject({
  timeout: duration({ fallback: '2m' }),
  quietFor: duration({ longest: '10m' }).optional(),
});

/** `/readyz` is the route of our own endpoint; any answer will do, because which path a foreign service has is not known. */
export const probeSchema = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'must start with "/" and have no spaces')
    .default('/readyz'),
  status: z.union([status, z.array(status).min(1).max(50)]).optional(),
});

/** Our own drain leaves nobody out of sight; the report's scheduler pops users every two seconds, and may pause between. */
const QUIET_MS = { own: 500, foreign: 5_000 };

interface Read {
  verify: z.output<typeof verifySchema>;
  settle: z.output<typeof settleSchema>;
  probe: z.output<typeof probeSchema>;
  coupons: readonly unknown[];
}

export interface VerifyPart {
  evidence: EvidencePlan;
  /** Checks that may stay unmade without making the verdict inconclusive. */
  skip: CheckName[];
  settle: { timeoutMs: number; quietForMs: number };
  probe: ProbePlan;
}

export function verifyOf(read: Read, report: Report): VerifyPart {
  const { verify, settle, probe } = read;
  const evidence = evidenceOf(read, report);
  return {
    evidence,
    skip: verify.skip,
    settle: { timeoutMs: settle.timeout, quietForMs: settle.quietFor ?? QUIET_MS[evidence.kind] },
    probe: { path: probe.path, status: probe.status === undefined ? null : [probe.status].flat() },
  };
}

function evidenceOf({ verify, coupons }: Read, report: Report): EvidencePlan {
  const { redis, sql, csv, replies } = verify;
  if (sql && csv !== undefined) report(['verify', 'csv'], 'and verify.sql both list who was issued; keep one of them');
  if (replies && (redis || sql || csv !== undefined)) report(['verify', 'replies'], 'means the replies alone; leave it out, or the others');
  if (!redis && !sql && csv === undefined && !replies) return { kind: 'own' };
  for (const [name, key] of Object.entries(redis?.keys ?? {})) {
    if (key === null) continue;
    const at = ['verify', 'redis', 'keys', name];
    const variables = name === 'issued' ? ['couponId', 'userId'] : ['couponId'];
    for (const [, used] of key.matchAll(/\{(\w+)\}/g)) {
      if (!variables.includes(used!))
        report(at, `there is no {${used}} here; ${variables.map((one) => `{${one}}`).join(' and ')} can stand in it`);
    }
    if (name === 'issued' && !key.includes('{userId}')) report(at, 'needs {userId}: one key for each issued user');
    if (coupons.length > 1 && !key.includes('{couponId}')) report(at, 'needs {couponId}: there are several coupons');
  }
  if (sql && !sql.query.includes('$1')) report(['verify', 'sql', 'query'], 'needs $1, which stands for the coupon id');
  return {
    kind: 'foreign',
    redis: redis ? { ...redis.keys, stockField: redis.fields.stock, totalField: redis.fields.total } : null,
    issued: sql ? { kind: 'sql', query: sql.query, timeoutMs: sql.timeout } : csv === undefined ? null : { kind: 'csv', path: csv },
  };
}

/** A template filled in. Ids are plain text: no id can hold a brace, so nothing is filled in twice. */
export function fillTemplate(template: string, couponId: string, userId = ''): string {
  return template.replaceAll('{couponId}', () => couponId).replaceAll('{userId}', () => userId);
}
