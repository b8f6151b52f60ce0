import { readForeignDate } from './foreign-time.ts';

/** What a user of a sale meets. Where Redis and the ledger do not agree that there is a sale, the state of the coupon stands instead. */
export const SALE_STATES = ['scheduled', 'open', 'paused', 'sold_out', 'ended', 'closed', 'suspect', 'unreadable_time'] as const;

/** What an operator can say about a coupon, and what the field `state` in Redis holds. */
export const FIRM_STATES = ['open', 'paused', 'closed'] as const;

/** Why the stores cannot say what a user meets. */
export const TROUBLE_STATES = [
  'seeding',
  'adopting',
  'resetting',
  'missing_in_redis',
  'missing_in_ledger',
  'other_key_style',
  'wrong_type',
  'server_away',
] as const;

interface WindowTexts {
  opensAt: string;
  closesAt: string;
}

/** When a coupon opens and closes, as users meet it: Redis decides by its texts; the ledger says it where Redis has none, or no times. */
export function windowOf(redis: WindowTexts | null, ledger: Pick<Sale, 'opensAt' | 'closesAt'> | null): Pick<Sale, 'opensAt' | 'closesAt'> {
  const read = (field: keyof WindowTexts): Date | null => {
    const date = redis ? readForeignDate(redis[field]) : 'unreadable';
    return date === 'unreadable' ? (ledger?.[field] ?? null) : date;
  };
  return { opensAt: read('opensAt'), closesAt: read('closesAt') };
}

export interface Sale {
  /** `open`, `paused` or `closed`, or why the stores cannot say. */
  state: string;
  suspect: string | null;
  opensAt: Date | null;
  closesAt: Date | null;
  stock: number | null;
}

/** One of {@link SALE_STATES}, or the state as it is given. */
export function saleState({ state, suspect, opensAt, closesAt, stock }: Sale, nowMs: number): string {
  if (suspect !== null) return 'suspect';
  if (state !== 'open' && state !== 'paused') return state;
  if (closesAt !== null && nowMs >= closesAt.getTime()) return 'ended';
  if (state === 'paused') return 'paused';
  if (opensAt !== null && nowMs < opensAt.getTime()) return 'scheduled';
  return stock !== null && stock <= 0 ? 'sold_out' : 'open';
}
