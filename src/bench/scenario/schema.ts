/**
 * The shape of a scenario file, version 1, in the words of k6 and Artillery where they have one. Unknown keys are refused:
 * a setting that is silently ignored is how a load test comes to lie. What fields mean together is checked in `scenario.ts`.
 */
import { z } from 'zod';
import { couponSchema, parsed } from '../../campaign/event.ts';
import { ADMISSION_OUTCOMES, OTHER_OUTCOMES } from '../../campaign/outcome.ts';
import { phaseSchema } from './phase-schema.ts';
import { pollSchema, requestSchema, retrySchema, ruleSchema, stepsSchema } from './request-schema.ts';
import { duration, MAX_COUPONS, MAX_USERS, text, whole } from './schema-parts.ts';
import { probeSchema, settleSchema, verifySchema } from './verify.ts';
import { parseTarget } from './target.ts';
import { timelineSchema } from './timeline.ts';

const coupon = couponSchema.extend({ name: couponSchema.shape.name.optional() });

const users = z.strictObject({
  count: whole(1, MAX_USERS).optional().describe('Distinct users; with `file`, how many of its users ask.'),
  prefix: z.string().max(100).optional().describe('A user id is this and a number.'),
  start: whole(0, 1_000_000_000_000).optional().describe('The first number.'),
  file: text(1_000)
    .optional()
    .describe('A CSV beside the scenario instead of a rule; its first row names the columns, which are {{variables}} of the request.'),
  userId: text(100).optional().describe('The column of `file` that names the user.'),
  duplicateRate: z.number().min(0).max(10).default(0).describe('Extra requests as a share of the users: 0.05 means that 5 % ask twice.'),
  impatience: z.number().min(0).max(1).default(0.5).describe('Share of those extra requests that follow while the first is under way.'),
  hot: z
    .strictObject({ users: whole(1, 10_000), repeats: whole(1, 1_000_000) })
    .optional()
    .describe('A few users who ask so many times more, all through the load.'),
  seed: whole(0, 4_294_967_295).default(1).describe('Another seed gives another order of users.'),
  perUser: z
    .union([whole(1, 1_000), z.literal('any')])
    .default(1)
    .describe('So many coupons one user may have. Other than 1, issued coupons are told apart by request.issueId where it is named.'),
});

const outcomes = z.strictObject(
  Object.fromEntries([...ADMISSION_OUTCOMES, ...OTHER_OUTCOMES, 'unknown'].map((outcome) => [outcome, ruleSchema.optional()])),
);

const threshold = z.union([
  z.string().describe('Such as p(99)<200, count==0 or rate<0.01.'),
  z.strictObject({
    threshold: z.string(),
    abortOnFail: z.boolean().default(false).describe('End the load as soon as the threshold is missed; what was sent is still verified.'),
    delayAbortEval: duration({ fallback: '0s' }).describe('Not before so long into the load.'),
  }),
]);

const series = couponSchema
  .omit({ id: true, name: true })
  .extend({ count: whole(1, MAX_COUPONS), prefix: z.string().max(50), start: whole(0, 1_000_000_000).default(1) })
  .describe('So many coupons of one kind, `prefix` and a number, rushed one after the other by all users.');

export const scenarioSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only version there is'),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1–64 letters, digits, ".", "_" or "-"'),
  description: z.string().max(2_000).default(''),
  target: parsed(parseTarget).optional(),
  tls: z
    .strictObject({
      ca: text(1_000).optional().describe('PEM file beside the scenario: trust these authorities, for a target on https.'),
      insecure: z.boolean().default(false).describe('Take any certificate; the report says so.'),
    })
    .prefault({}),
  coupons: z.union([z.array(coupon).min(1).max(100), series]),
  request: requestSchema.prefault({}),
  setup: stepsSchema.describe('Requests once a run, before the coupons are looked at: open the sale, reset the stock.'),
  before: stepsSchema.describe('Requests before each round, after `setup`.'),
  rounds: whole(1, 1_000).default(1).describe('So many times the whole load, each on a fresh state that `before` makes.'),
  prepare: stepsSchema.describe('Requests once a user before the load, which are not measured: log in, for example. Cookies are kept.'),
  teardown: stepsSchema.describe('Requests once a run, after everything was verified.'),
  retry: retrySchema,
  poll: pollSchema,
  users,
  outcomes: outcomes.optional(),
  phases: z.array(phaseSchema).min(1).max(100),
  gracefulStop: duration({ fallback: '10s', longest: '1h' }),
  settle: settleSchema.prefault({}),
  drain: z
    .strictObject({
      interval: duration({ fallback: '2s', longest: '1h', least: 1 }),
      batch: whole(1, 1_000).default(100),
      eager: z.boolean().default(false),
      lease: duration({ fallback: '30s', longest: '1h', least: 1_000 }),
    })
    .prefault({}),
  timeline: timelineSchema,
  thresholds: z.record(z.string(), z.union([threshold, z.array(threshold).min(1).max(20)])).default({}),
  probe: probeSchema.prefault({}),
  verify: verifySchema.prefault({}),
});

export type ScenarioDocument = z.output<typeof scenarioSchema>;

/** The same as JSON schema (draft 2020-12), for editors. `npx vitest run test/bench/scenario/schema.test.ts -u` writes it to `scenarios/`. */
export function scenarioJsonSchema(): object {
  return { ...z.toJSONSchema(scenarioSchema, { io: 'input' }), title: 'Scenario of coupon-cli bench, version 1' };
}
