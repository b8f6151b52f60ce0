import { usageError } from '../lib/errors.ts';
import { suggestion } from '../lib/text/suggest.ts';

/** What the answer "accepted" survives: the disk of the one server, a replica that has it too, or both. */
export const ACCEPTED_MEANS = ['disk', 'replica', 'both'] as const;
export type AcceptedMeans = (typeof ACCEPTED_MEANS)[number];

/** @throws CouponError `USAGE` */
export function parseAcceptedMeans(text: string): AcceptedMeans {
  const found = ACCEPTED_MEANS.find((one) => one === text);
  if (found) return found;
  throw usageError(
    'USAGE',
    `--accepted-means: "${text}" is none of ${ACCEPTED_MEANS.join(', ')}${suggestion(text, ACCEPTED_MEANS)}`,
    'See --help.',
  );
}
