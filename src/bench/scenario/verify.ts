/** The parts of a scenario that say where the truth about a run is read, and what is asked of the target before it. */
import { z } from 'zod';
import { CHECKS } from '../checks/integrity.ts';
import type { CheckName } from '../checks/integrity.ts';
import { duration, text, whole } from './schema-parts.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/**
 * `own`: the stores of this project. Otherwise what another service keeps: keys in Redis, a list of who was issued (by a query
 * or from an export), both, or nothing, and then the replies are all there is.
 */
export type EvidencePlan =
  { kind: 'own' } | { kind: 'foreign'; redis: ForeignKeys | null; issued: IssuedListPlan | null; stock: StockQuery | null };

/** One SELECT of one row and one column: what is left of the coupon `$1`. */
export interface StockQuery {
  query: string;
  timeoutMs: number;
}

/** Templates with `{couponId}` and, for `issued`, `{userId}`; null for a key that the service does not have. */
export interface ForeignKeys {
  /** Hash of the coupon. */
  coupon: string | null;
  /** Sorted set of the users who wait. */
  queue: string | null;
  /** Any key, one for each issued user. */
  issued: string | null;
  /** A string that holds what is left, for services without such a hash. */
  stock: string | null;
  /** One key with all issued users: members of a set or sorted set, or fields of a hash. */
  issuedUsers: string | null;
  /** Field of the coupon's hash that holds what is left. */
  stockField: string;
  /** Field that holds how many there are; where it is missing, the scenario's total stands. */
  totalField: string;
}

export type IssuedListPlan = { by: IssuedBy } & (
  | { kind: 'sql'; query: string; timeoutMs: number }
  /** `path` as it is written, `{couponId}` not yet filled in. */
  | { kind: 'csv'; path: string }
);

/** What tells issued coupons apart: who has them, or the name that each has for itself. */
export type IssuedBy = 'user' | 'issue';

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
          coupon: keyTemplate.optional().describe('Hash with what is left; coupon:{couponId} unless `stock` is named.'),
          queue: keyTemplate.default('coupon_waiting_queue:{couponId}'),
          issued: keyTemplate
            .optional()
            .describe('One key for each user; issued_coupon:coupon:{couponId}-user:{userId} unless `issuedUsers` is named.'),
          stock: keyTemplate.default(null).describe('A string that holds what is left.'),
          issuedUsers: keyTemplate.default(null).describe('A set, a sorted set or a hash that names the issued users.'),
        })
        .prefault({}),
      fields: z.strictObject({ stock: text(100).default('stock'), total: text(100).default('total') }).prefault({}),
    })
    .optional(),
  sql: z.strictObject({ query: text(20_000), timeout: duration({ fallback: '30s', longest: '10m', least: 1 }) }).optional(),
  csv: text(1_000).optional(),
  stockSql: z
    .strictObject({ query: text(20_000), timeout: duration({ fallback: '30s', longest: '10m', least: 1 }) })
    .optional()
    .describe('What is left of the coupon $1: one row, one column.'),
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
  coupons: readonly unknown[] | { count: number };
  users: { perUser: number | 'any' };
  request: { issueId?: unknown };
}

export interface VerifyPart {
  evidence: EvidencePlan;
  /** Checks that may stay unmade without making the verdict inconclusive. */
  skip: CheckName[];
  settle: { timeoutMs: number; quietForMs: number };
  probe: ProbePlan;
}

export function verifyOf(read: Read, report: Report): VerifyPart {
  const { verify, settle, probe, users, request } = read;
  const evidence = evidenceOf(read, report);
  // Any number of coupons that nothing tells apart: there is nothing that such a check could find.
  const countless = users.perUser === 'any' && request.issueId === undefined;
  return {
    evidence,
    skip: countless && !verify.skip.includes('one_per_user') ? [...verify.skip, 'one_per_user'] : verify.skip,
    settle: { timeoutMs: settle.timeout, quietForMs: settle.quietFor ?? QUIET_MS[evidence.kind] },
    probe: { path: probe.path, status: probe.status === undefined ? null : [probe.status].flat() },
  };
}

function evidenceOf({ verify, coupons, users, request }: Read, report: Report): EvidencePlan {
  const { sql, csv, replies, stockSql } = verify;
  const several = users.perUser !== 1;
  const by: IssuedBy = several && request.issueId !== undefined ? 'issue' : 'user';
  const redis = verify.redis && { ...verify.redis, keys: keysOf(verify.redis.keys, several) };
  if (sql && csv !== undefined) report(['verify', 'csv'], 'and verify.sql both list who was issued; keep one of them');
  if (replies && (redis || sql || stockSql || csv !== undefined))
    report(['verify', 'replies'], 'means the replies alone; leave it out, or the others');
  if (!redis && !sql && !stockSql && csv === undefined && !replies) {
    if (several) report(['users', 'perUser'], 'is for other services (verify.sql, verify.csv or verify.replies); here each user has one');
    if (request.issueId !== undefined) report(['request', 'issueId'], 'is for other services; here the user names the coupon');
    return { kind: 'own' };
  }
  if (several && redis?.keys.issued != null)
    report(['verify', 'redis', 'keys', 'issued'], 'is one key for each user, and users.perUser allows several; list them with verify.sql');
  if (several && redis?.keys.issuedUsers != null)
    report(['verify', 'redis', 'keys', 'issuedUsers'], 'names each user once, and users.perUser allows several; list them with verify.sql');
  for (const [name, key] of Object.entries(redis?.keys ?? {})) {
    if (key === null) continue;
    const at = ['verify', 'redis', 'keys', name];
    const variables = name === 'issued' ? ['couponId', 'userId'] : ['couponId'];
    for (const [, used] of key.matchAll(/\{(\w+)\}/g)) {
      if (!variables.includes(used!))
        report(at, `there is no {${used}} here; ${variables.map((one) => `{${one}}`).join(' and ')} can stand in it`);
    }
    if (name === 'issued' && !key.includes('{userId}')) report(at, 'needs {userId}: one key for each issued user');
    if (('count' in coupons ? coupons.count : coupons.length) > 1 && !key.includes('{couponId}'))
      report(at, 'needs {couponId}: there are several coupons');
  }
  for (const [name, one] of Object.entries({ sql, stockSql }))
    if (one && !one.query.includes('$1')) report(['verify', name, 'query'], 'needs $1, which stands for the coupon id');
  if (redis?.keys.coupon != null && redis.keys.stock !== null)
    report(['verify', 'redis', 'keys', 'stock'], 'and `coupon` both say what is left; keep one');
  if (stockSql && (redis?.keys.coupon != null || redis?.keys.stock != null))
    report(['verify', 'stockSql'], 'and a key in verify.redis both say what is left; keep one, and set the other to null');
  if (redis?.keys.issued != null && redis.keys.issuedUsers !== null)
    report(['verify', 'redis', 'keys', 'issuedUsers'], 'and `issued` both name the issued users; keep one');
  return {
    kind: 'foreign',
    redis: redis ? { ...redis.keys, stockField: redis.fields.stock, totalField: redis.fields.total } : null,
    stock: stockSql ? { query: stockSql.query, timeoutMs: stockSql.timeout } : null,
    issued: sql ? { by, kind: 'sql', query: sql.query, timeoutMs: sql.timeout } : csv === undefined ? null : { by, kind: 'csv', path: csv },
  };
}

const ISSUED_KEY = 'issued_coupon:coupon:{couponId}-user:{userId}';

/** The report's keys stand in for what is not named, unless something else says the same. */
function keysOf(written: NonNullable<Read['verify']['redis']>['keys'], several: boolean) {
  const { coupon, issued, ...keys } = written;
  return {
    ...keys,
    coupon: coupon === undefined ? (keys.stock === null ? 'coupon:{couponId}' : null) : coupon,
    issued: issued === undefined ? (keys.issuedUsers === null && !several ? ISSUED_KEY : null) : issued,
  };
}

/** A template filled in. Ids are plain text: no id can hold a brace, so nothing is filled in twice. */
export function fillTemplate(template: string, couponId: string, userId = ''): string {
  return template.replaceAll('{couponId}', () => couponId).replaceAll('{userId}', () => userId);
}
