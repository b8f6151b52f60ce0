import type { SeedOutcome } from './seed.ts';
import type { SeedAction, SeedPlan } from './seed-plan.ts';
import { number, plural } from '../lib/text/figures.ts';
import type { Paint } from '../lib/text/style.ts';
import { table } from '../lib/text/table.ts';

export interface SeedResultLine {
  couponId: string;
  outcome: SeedOutcome;
  total: number;
  /** Issued coupons that a reset deleted first. */
  deleted?: number;
  /** `host:port` of the server that holds it, in a Redis Cluster. */
  server?: string;
}

const DONE: Record<SeedOutcome, string> = {
  created: 'seeded',
  finished: 'finished an interrupted seeding',
  unchanged: 'as it was seeded before',
};

export function seededText(results: readonly SeedResultLine[], paint: Paint): string {
  const lines = results.map(({ couponId, outcome, total, deleted, server }) => {
    const after = deleted === undefined ? '' : ` (after deleting ${number(deleted)} issued)`;
    return `${paint.green('✔')} coupon ${couponId}: ${DONE[outcome]}, ${number(total)} ${outcome === 'created' ? 'in stock' : 'in all'}${after}${server === undefined ? '' : `, on ${server}`}`;
  });
  if (results.length > 1) lines.push(`${plural(results.length, 'coupon')}: ${counts(results.map((result) => result.outcome))}`);
  return lines.join('\n');
}

const WOULD: Record<SeedAction, (total: string) => string> = {
  create: (total) => `would be seeded, ${total} in stock`,
  finish: () => 'an interrupted seeding would be finished',
  unchanged: () => 'would stay as it is, it was seeded before',
};

/** One line for one coupon, a table for a file. */
export function planText(plans: readonly SeedPlan[], paint: Paint): string {
  const [only] = plans;
  if (only && plans.length === 1)
    return `coupon ${only.couponId}: ${only.problem ? 'would be refused' : WOULD[only.action](number(only.total))}; nothing was changed`;
  const rows = table(
    plans,
    [
      { head: 'COUPON', value: (plan) => plan.couponId, narrow: 'wrap' },
      { head: 'STOCK', value: (plan) => plan.total, align: 'right' },
      { head: 'PLAN', value: (plan) => plan.action },
      {
        head: 'WHY',
        narrow: 'wrap',
        value: ({ problem }) => (problem ? `${problem.code}${problem.why === undefined ? '' : `: ${problem.why}`}` : ''),
      },
    ],
    paint,
  );
  const refused = plans.some((plan) => plan.problem !== null);
  const verdict = refused ? 'nothing is written unless all can be' : 'nothing was written, this is a dry run';
  return `${rows}\n${plural(plans.length, 'coupon')}: ${counts(plans.map((plan) => plan.action))}; ${verdict}`;
}

/** `create 2, unchanged 1`, in the order of first appearance. */
function counts(words: readonly string[]): string {
  return [...new Set(words)].map((word) => `${word} ${words.filter((other) => other === word).length}`).join(', ');
}
