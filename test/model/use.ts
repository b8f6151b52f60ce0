import { isoTime } from '../../src/campaign/coupon.ts';
import { readForeignTime } from '../../src/campaign/foreign-time.ts';
import { ack } from './claims.ts';
import type { Campaign } from './state.ts';

export interface UseAnswer {
  status: 'used' | 'already_used' | 'not_issued' | 'revoked';
  /** The issued hash shows it too. */
  followed: boolean;
}

/** The ledger decides, once; Redis follows, and where there is no hash yet it is written from the row. */
export function use(campaign: Campaign, userId: string, now: Date): UseAnswer {
  const { redis, ledger } = campaign;
  const row = ledger.rows.get(userId);
  if (!row) return { status: 'not_issued', followed: false };
  if (row.revokedAt && !row.usedAt) return { status: 'revoked', followed: false };
  const status = row.usedAt ? 'already_used' : 'used';
  row.usedAt ??= now;
  if (redis.occupied.has(userId)) return { status, followed: false };
  const hash = redis.issued.get(userId);
  if (!hash) return { status, followed: ack(campaign, ledger.epoch, [row]) === 'ok' };
  // A use that the hash already tells of stays as it is: a repair makes the two agree.
  if (readForeignTime(hash['used_at']).kind !== 'time') redis.issued.set(userId, { ...hash, used_at: isoTime(row.usedAt) });
  return { status, followed: true };
}

/** A command that died does not know, when it is run again, who has used the coupon. */
export function usedAfterDeath({ dies }: { dies: object | null }, answer: UseAnswer): UseAnswer {
  return dies !== null && answer.status === 'already_used' ? { ...answer, status: 'used' } : answer;
}
