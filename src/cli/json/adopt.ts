/** What `adopt --json` prints. */
import { z } from 'zod';
import type { AdoptionPlan } from '../../operate/adopt/plan.ts';
import { count, text } from './parts.ts';

const sampled = z.object({ count, sample: z.array(text) });
const counts = z.record(text, count);

const plan = z.object({
  couponId: text,
  keys: z.object({ hash: text, queue: text, issued: text }),
  name: text,
  total: z.number().int().nullable(),
  stock: z.number().int().nullable(),
  totalThere: z.number().int().exactOptional(),
  state: z.enum(['open', 'paused', 'closed']),
  opensAt: text,
  closesAt: text,
  expiry: text,
  waiting: count,
  issued: count,
  used: count,
  revoked: count,
  issuedAndWaiting: count,
  severalTimes: count,
  scores: z.object({ units: counts, oldest: text, latest: text, future: count }),
  serializers: z.object({ hash: counts, members: counts }),
  issuedWithoutTime: count,
  skipped: sampled,
  stockElsewhere: text.exactOptional(),
  unread: z.array(z.object({ field: text, count })),
}) satisfies z.ZodType<AdoptionPlan>;

export const adoptJson = z.object({
  plan,
  outcome: z.enum(['adopted', 'finished', 'planned', 'refused']),
  problems: z.array(z.object({ code: text, message: text, why: text.exactOptional() })).exactOptional(),
});
