import type { CouponDefinition, ScoreUnit } from '../../campaign/coupon.ts';
import { isoTime } from '../../campaign/coupon.ts';
import { durationFlag } from '../../lib/duration.ts';
import { CouponError } from '../../lib/errors.ts';
import type { FoundIssued } from './issued.ts';
import { expiryAt } from './issued.ts';
import type { ProvenRow } from '../../campaign/ports/ledger.ts';
import type { FinalStock, QueuedUser, SaleState } from './ports.ts';
import type { Sampled } from './sample.ts';
import type { SourceKeys } from './source-keys.ts';
import type { Serializer } from './values.ts';
import type { Waiting } from './queue.ts';

/** What was found of a coupon, and what is made of it. */
export interface AdoptionPlan {
  couponId: string;
  keys: { hash: string; queue: string; issued: string };
  name: string;
  /** Null: unknown, and a problem says so; the next as well. */
  total: number | null;
  stock: number | null;
  /** The total that the hash has, where it is another one. */
  totalThere?: number;
  state: SaleState;
  opensAt: string;
  closesAt: string;
  /** An instant, a duration such as `30d`, or empty for never. */
  expiry: string;
  /** Users in the queue who have no coupon yet. */
  waiting: number;
  issued: number;
  used: number;
  revoked: number;
  /** Users with a coupon who are in the queue all the same; they leave it. */
  issuedAndWaiting: number;
  /** Users whom the queue has several times, in several spellings; the earliest request counts. */
  severalTimes: number;
  scores: { units: Partial<Record<ScoreUnit, number>>; oldest: string; latest: string; future: number };
  serializers: { hash: Partial<Record<Serializer, number>>; members: Partial<Record<Serializer, number>> };
  /** Issued coupons that say nothing of when they were issued: the time of the adoption counts. */
  issuedWithoutTime: number;
  /** Keys that Spring Data keeps beside the hashes, and others that are left alone. */
  skipped: Sampled;
  /** Where the service counts the stock, if that is not where this program does. */
  stockElsewhere?: string;
  /** Fields that are not read, with how many hashes have them. */
  unread: { field: string; count: number }[];
}

/** A plan with what carrying it out takes. */
export interface FullPlan {
  shown: AdoptionPlan;
  problems: CouponError[];
  /** Null: there are problems. */
  definition: CouponDefinition | null;
  sharedStockField: string | null;
  finalStock: FinalStock;
  waiting: ReadonlyMap<string, Waiting>;
  issued: ReadonlyMap<string, FoundIssued>;
  keys: SourceKeys;
  own: SourceKeys;
  nowMs: number;
}

/** As they are written into the queue of this program. */
export function* queuedUsers({ waiting, issued, keys, own }: FullPlan): Generator<QueuedUser> {
  const inPlace = keys.queue === own.queue;
  for (const [userId, { us, members }] of waiting) {
    const hasCoupon = issued.has(userId);
    if (!inPlace) {
      if (!hasCoupon) yield { member: userId, userId, us };
      continue;
    }
    for (const member of members) if (member !== userId || hasCoupon) yield { member, userId, us: hasCoupon ? null : us };
    // Last, so that no other spelling takes it away again.
    if (!hasCoupon && members.has(userId)) yield { member: userId, userId, us };
  }
}

/** Rows of the users who have a coupon, with `used_at` of their hashes as it is written. */
export function* adoptedRows({ waiting, issued, definition, nowMs }: FullPlan): Generator<{ row: ProvenRow; seenUsedAt: string }> {
  for (const [userId, found] of issued) {
    const queuedUs = waiting.get(userId)?.us ?? null;
    const now = new Date(nowMs);
    const issuedAt = found.issuedAt ?? found.requestedAt ?? now;
    const requestedUs = found.requestedAt ? found.requestedAt.getTime() * 1_000 : (queuedUs ?? issuedAt.getTime() * 1_000);
    const expiresAt = found.expiresAt === 'unsaid' ? expiryAt(definition!.expiry, issuedAt) : found.expiresAt;
    const { usedAt, revokedAt, seenUsedAt } = found;
    yield { row: { userId, requestedUs, issuedAt, expiresAt, usedAt, revokedAt, fence: 0, deliveries: 0 }, seenUsedAt };
  }
}

export function expiryText({ expiry }: CouponDefinition): string {
  return expiry.kind === 'after' ? durationFlag(expiry.ms) : expiry.kind === 'at' ? isoTime(expiry.at) : '';
}

/** Why this plan cannot be carried out, as one error; null: it can. */
export function refusalOf({ problems, shown }: FullPlan): CouponError | null {
  const [first] = problems;
  if (!first || problems.length === 1) return first ?? null;
  return new CouponError({
    code: first.code,
    kind: 'usage',
    message: `coupon ${shown.couponId} cannot be adopted for ${problems.length} reasons; nothing was changed`,
    why: problems.map(({ message, why }) => (why === undefined ? message : `${message}: ${why}`)).join('\n'),
    fix: [...new Set(problems.map(({ fix }) => fix))].join('\n'),
  });
}
