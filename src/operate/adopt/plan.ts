import type { CouponDefinition, ScoreUnit } from '../../campaign/coupon.ts';
import { isoTime } from '../../campaign/coupon.ts';
import { durationFlag } from '../../lib/duration.ts';
import { CouponError } from '../../lib/errors.ts';
import type { Reading } from './issued.ts';
import type { FinalStock, SaleState } from './ports.ts';
import type { Sampled } from './sample.ts';
import type { SourceKeys } from './source-keys.ts';
import type { Serializer } from '../../lib/text/serialised.ts';
import type { FoundQueue } from './queue.ts';

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
  queue: FoundQueue;
  reading: Reading & { memberField: string };
  keys: SourceKeys;
  own: SourceKeys;
  nowMs: number;
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
