/**
 * To which life of a coupon the users in Redis belong, and whether accepted users may be missing there. Pure: a repair reads the marks
 * and the counts, and acts on what is said here.
 *
 * The epoch is in two keys: in the hash of the coupon, which another program may rewrite, and in a key of its own. Only an epoch that
 * the ledger itself has ended proves a former life.
 */
export type Life =
  /** This one. */
  | 'ours'
  /** The hash is gone, or has lost the epoch or carries a strange one; nothing proves that the users are not ours. */
  | 'unbound'
  /** A former one: the ledger has reset it. */
  | 'ended'
  /** One that this ledger has never known, such as that of another environment. */
  | 'unknown';

export interface Marks {
  /** In the hash of the coupon; null: there is no hash; empty: the field is not there. */
  hashEpoch: string | null;
  /** In the key of its own; null: no such key, as with coupons seeded by an earlier version. */
  lifeEpoch: string | null;
}

/** @param ended epochs that the ledger has ended */
export function judgeLife({ hashEpoch, lifeEpoch }: Marks, epoch: string, ended: ReadonlySet<string>): Life {
  if (hashEpoch === epoch) return 'ours';
  const marks = [hashEpoch, lifeEpoch].filter((mark) => mark !== null && mark !== '');
  if (lifeEpoch === epoch || marks.length === 0) return 'unbound';
  if (marks.every((mark) => ended.has(mark!))) return 'ended';
  return lifeEpoch === null ? 'unbound' : 'unknown';
}

/** What Redis says about a coupon, from one instant, before anything is mended. */
export interface RedisRecord extends Marks {
  stock: number | null;
  /** The highest fence; null: the field is not there. */
  fence: number | null;
  /** Request time of the last admission, microseconds; null: the field is not there; 0: there was none. */
  lastUs: number | null;
  suspect: string;
  /** `open`, `paused` or `closed`; empty: the field is not there. */
  state: string;
  /** How many users were ever accepted. */
  admitted: number;
}

/** What follows from the users. */
export interface Known {
  /** Rows of the ledger whose users Redis does not know as accepted. */
  rowsWithoutAdmission: number;
  /** Coupons left once every user in either store has one: as many could be promised a second time. */
  free: number;
}

/** How many accepted users may be missing, at most, because Redis lost its record of them. */
export function mayBeMissing(record: RedisRecord, life: Life, maxFence: number, { rowsWithoutAdmission, free }: Known): number {
  const { stock, fence, admitted } = record;
  if (free <= 0) return 0;
  if (life === 'ended' || life === 'unknown' || (fence !== null && fence < maxFence)) return free;
  const hasGaps = admitted === 0 || rowsWithoutAdmission > 0;
  if (!hasGaps || isUnused(record, life, free)) return 0;
  // While the counter of the coupon itself is whole, no more can be missing than it says were promised.
  return life === 'ours' && stock !== null ? Math.min(free, Math.max(0, free - stock)) : free;
}

/** Nobody was ever accepted: the last request time says so, or the stock that another program copied is still whole. */
function isUnused({ hashEpoch, lifeEpoch, lastUs, stock }: RedisRecord, life: Life, free: number): boolean {
  return life === 'ours' ? lastUs === 0 : hashEpoch !== null && lifeEpoch !== null && stock === free;
}
