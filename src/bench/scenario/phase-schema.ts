/** The shape of `phases` in a scenario file. What it means is in `phases.ts`. */
import { z } from 'zod';
import { duration, MAX_USERS, MAX_VUS, text, whole } from './schema-parts.ts';

/** A generator on one thread makes a tenth of this; it is a bound against slips of the finger. */
const MAX_RATE = 1_000_000;

const name = text(100).optional();
const vus = whole(1, MAX_VUS);
const rate = z.number().min(0).max(MAX_RATE);
const stageDuration = duration({ least: 1 });

const thinkTime = z
  .union([duration({ longest: '1h' }), z.strictObject({ min: duration({ longest: '1h' }), max: duration({ longest: '1h' }) })])
  .optional()
  .describe('Pause of a virtual user between two requests; with min and max, at random between them.');

function stages(target: z.ZodNumber) {
  return z
    .array(z.strictObject({ duration: stageDuration, target }))
    .min(1)
    .max(100);
}

const arrivals = {
  name,
  timeUnit: duration({ fallback: '1s', least: 1, longest: '1h' }),
  preAllocatedVUs: vus.optional().describe('Connections that stand before the first request is due.'),
  maxVUs: vus.describe('Most connections, and so most requests under way.'),
  startWithin: duration({ fallback: '1s', longest: '1m' }).describe(
    'A request that finds no free connection for so long is dropped (dropped_iterations); k6 drops it at once: 0s.',
  ),
};

export const phaseSchema = z.discriminatedUnion('executor', [
  z.strictObject({
    name,
    executor: z.literal('shared-iterations').optional(),
    vus,
    iterations: whole(1, 10 * MAX_USERS).optional(),
    maxDuration: duration({ fallback: '10m', least: 1 }),
    thinkTime,
  }),
  z.strictObject({ name, executor: z.literal('constant-vus'), vus, duration: stageDuration, thinkTime }),
  z.strictObject({
    name,
    executor: z.literal('ramping-vus'),
    startVUs: whole(0, MAX_VUS).default(1),
    stages: stages(whole(0, MAX_VUS)),
    thinkTime,
  }),
  z.strictObject({ ...arrivals, executor: z.literal('constant-arrival-rate'), rate, duration: stageDuration }),
  z.strictObject({ ...arrivals, executor: z.literal('ramping-arrival-rate'), startRate: rate.default(0), stages: stages(rate) }),
]);

export type PhaseDocument = z.output<typeof phaseSchema>;
