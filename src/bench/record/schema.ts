/**
 * What a kept run must look like before it is judged: every column as long as the record says, every number within what it stands
 * for. A file that lies about one of these could turn lost users into a pass.
 */
import { z } from 'zod';
import { OUTCOMES } from '../../campaign/outcome.ts';
import { MAX_COUPONS, MAX_USERS } from '../scenario/schema-parts.ts';

/** Planned users, and at most as many again that only the stores named. */
const MAX_NAMES = 2 * MAX_USERS;
const MAX_REQUESTS = 10 * MAX_USERS;
/** Visible characters are what ids are made of; a foreign store may hold others. */
const MAX_ID = 10_000;

const whole = z.int().nonnegative();
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is no column of bytes');
const shorts = z.custom<Uint16Array>((value) => value instanceof Uint16Array, 'is no column of 16-bit numbers');
const words = z.custom<Uint32Array>((value) => value instanceof Uint32Array, 'is no column of 32-bit numbers');
const floats = z.custom<Float64Array>((value) => value instanceof Float64Array, 'is no column of times');

const record = z
  .strictObject({
    length: whole.max(MAX_REQUESTS),
    user: words,
    coupon: shorts,
    requestId: words,
    intendedUs: floats,
    sentUs: floats,
    doneUs: floats,
    outcome: bytes,
    status: shorts,
    answeredUs: z.exactOptional(floats),
    asker: z.exactOptional(words),
    acceptance: z.exactOptional(words),
    lacks: z.exactOptional(z.array(z.enum(['users', 'times']))),
  })
  .superRefine(({ length, lacks: _lacks, ...columns }, context) => {
    for (const [name, column] of Object.entries(columns)) {
      if (column.length !== length) report(context, [name], `has ${column.length} rows, and the record says ${length}`);
    }
    bounded(context, 'outcome', columns.outcome, OUTCOMES.length);
    bounded(context, 'status', columns.status, 1_000);
    for (const name of ['intendedUs', 'sentUs', 'doneUs', 'answeredUs'] as const) timed(context, name, columns[name] ?? new Float64Array());
  });

const ledger = z
  .strictObject({
    user: words,
    requestedUs: floats,
    requestedStepUs: z.number().positive(),
    turn: floats,
    revoked: bytes,
    issuedQuantity: whole.nullable(),
  })
  .superRefine(({ user, requestedUs, turn, revoked }, context) => {
    for (const [name, column] of Object.entries({ requestedUs, turn, revoked })) {
      if (column.length !== user.length) report(context, [name], `has ${column.length} rows, and there are ${user.length} users`);
    }
    bounded(context, 'revoked', revoked, 2);
    timed(context, 'requestedUs', requestedUs);
    timed(context, 'turn', turn);
  });

const redis = z.strictObject({
  issued: words,
  waiting: words,
  claimed: words,
  dead: words,
  total: z.number().nullable(),
  stock: z.number().nullable(),
  returned: z.int(),
  spent: whole.nullable(),
});

const evidence = z.strictObject({
  couponId: z.string(),
  total: whole,
  ledger: ledger.nullable(),
  redis: redis.nullable(),
  settled: z.boolean(),
  idle: z.exactOptional(z.literal(true)),
  before: words,
  consulted: z.exactOptional(z.strictObject({ ledger: z.boolean(), hashes: z.boolean(), stock: z.boolean() })),
});

const run = z.union([
  z.strictObject({ prefix: z.string().max(MAX_ID), start: whole, count: whole.min(1).max(MAX_NAMES) }),
  z.strictObject({ ids: z.array(z.string().max(MAX_ID)).max(MAX_NAMES) }),
]);

const users = z.strictObject({ planned: whole.max(MAX_USERS), runs: z.array(run) }).superRefine(({ planned, runs }, context) => {
  const size = sizeOf(runs);
  if (size > MAX_NAMES) report(context, ['runs'], `name ${size} users; at most ${MAX_NAMES} are possible`);
  if (planned > size) report(context, ['planned'], `is ${planned}, and there are ${size} names`);
});

/** `report` is JSON text, and has a schema of its own. */
export const keptSchema = z
  .strictObject({ report: z.string(), record, evidence: z.array(evidence).min(1).max(MAX_COUPONS), users })
  .superRefine(({ record: rows, evidence: coupons, users: names }, context) => {
    const size = sizeOf(names.runs);
    bounded(context, 'record.user', rows.user, size);
    if (rows.asker) bounded(context, 'record.asker', rows.asker, size);
    bounded(context, 'record.coupon', rows.coupon, coupons.length);
    for (const [index, { before, ledger: list, redis: keys }] of coupons.entries()) {
      const columns = {
        before,
        'ledger.user': list?.user,
        issued: keys?.issued,
        waiting: keys?.waiting,
        claimed: keys?.claimed,
        dead: keys?.dead,
      };
      for (const [name, column] of Object.entries(columns)) if (column) bounded(context, `evidence.${index}.${name}`, column, size);
    }
  });

export type Kept = z.output<typeof keptSchema>;

type Context = z.core.$RefinementCtx;

function sizeOf(runs: readonly z.output<typeof run>[]): number {
  return runs.reduce((sum, one) => sum + ('ids' in one ? one.ids.length : one.count), 0);
}

function report(context: Context, path: string[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

function bounded(context: Context, name: string, column: Uint8Array | Uint16Array | Uint32Array, below: number): void {
  const wrong = column.find((value) => value >= below);
  if (wrong !== undefined) report(context, name.split('.'), `has ${wrong}, and must stay below ${below}`);
}

/** NaN stands for a time that never came. */
function timed(context: Context, name: string, column: Float64Array): void {
  if (column.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) report(context, [name], 'has a time without end');
}
