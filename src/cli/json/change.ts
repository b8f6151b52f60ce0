/** What the commands that set up, run and change a campaign print with `--json`. */
import { z } from 'zod';
import { count, done, instant, outcomes, text } from './parts.ts';

const change = z.object({
  opId: text,
  couponId: text,
  kind: z.enum(['pause', 'resume', 'close', 'extend', 'restock', 'rename', 'edit', 'forget', 'revoke', 'export', 'purge', 'adopt']),
  details: z.record(text, z.union([text, z.number(), z.boolean()])),
  version: z.number().int(),
  byWhom: text,
  reason: text.nullable(),
  begunAt: instant,
  finishedAt: instant.nullable(),
});

/** pause, resume, close, extend, restock and rename. */
export const changeJson = z.object({ change, outcome: done, total: count.nullable() });
export const logJson = z.object({ changes: z.array(change) });

export const editJson = z.object({
  dryRun: z.boolean(),
  coupons: z.array(z.object({ couponId: text, outcome: done, fields: z.array(z.object({ field: text, now: text, becomes: text })) })),
});

export const seedJson = z.object({
  /** Only of a dry run; `action` then stands for `outcome`. */
  dryRun: z.literal(true).optional(),
  coupons: z.array(
    z.object({
      couponId: text,
      outcome: z.enum(['created', 'finished', 'unchanged']).optional(),
      action: z.enum(['create', 'finish', 'unchanged', 'refused', 'reset']).optional(),
      total: count.optional(),
      deleted: count.optional(),
      /** Issued coupons that a reset would delete. */
      deletes: count.optional(),
      server: text.optional(),
      code: text.optional(),
      why: text.optional(),
    }),
  ),
});

export const submitJson = z.looseObject({
  couponId: text,
  requests: count,
  outcomes,
  seconds: z.number().nonnegative(),
  perSecond: z.number().nonnegative(),
  latencyMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }).nullable(),
});

export const drainJson = z.object({ issued: count, reclaimed: count, dead: count, passes: count, seconds: z.number().nonnegative() });

export const deadAnswerJson = z.object({
  couponId: text,
  users: z.array(
    z.object({
      userId: text,
      outcome: z.enum(['ok', 'not_dead', 'invalid', 'no_stock', 'not_admitted', 'no_stock_field', 'epoch', 'issued']),
    }),
  ),
  done: count,
});

export const useJson = z.object({ couponId: text, userId: text, usedAt: instant, repeated: z.boolean() });
export const revokeJson = z.object({
  couponId: text,
  userId: text,
  revokedAt: instant.nullable(),
  returnStock: z.boolean(),
  outcome: done,
});
export const forgetJson = z.object({
  dryRun: z.boolean(),
  coupons: z.array(z.looseObject({ couponId: text, place: text.nullable(), outcome: z.enum(['found', 'done', 'finished']) })),
});
export const exportJson = z.object({ file: text, rows: count });
export const purgeJson = z.object({ couponId: text, rows: count, outcome: done });
export const migrateJson = z.object({
  applied: z.array(text),
  pending: z.array(text),
  sql: z.array(z.object({ name: text, sql: text })).optional(),
});

export const configShowJson = z.object({
  settings: z.array(z.object({ name: text, value: text, source: text, from: text.nullable(), filledInBy: z.array(text).optional() })),
});

export const grantsJson = z.object({
  grants: z.array(
    z.object({
      commands: z.array(text),
      user: text,
      redis: z.object({ acl: text, keys: z.array(text), commands: z.array(text) }).nullable(),
      postgres: z.object({ sql: z.array(text), tables: z.record(text, z.array(text)) }).nullable(),
    }),
  ),
});

export const benchListJson = z.object({ scenarios: z.array(z.object({ name: text, description: text, users: count, coupons: count })) });

/** On stderr, of every command that fails. */
export const errorJson = z.object({
  error: z.object({ code: text, message: text, why: text.optional(), fix: text, docs: text }),
  exitCode: z.number().int(),
});
