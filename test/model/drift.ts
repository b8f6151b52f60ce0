/**
 * What must hold, one line each, in the words of the promises. Written independently of `src/audit/reconcile`, which judge users as
 * an audit finds them on a live campaign: on a quiet one both must come to the same.
 */
import { scoreToMicros } from '../../src/campaign/coupon.ts';
import { FINDINGS, type FindingCode } from '../../src/audit/findings.ts';
import { readForeignTime } from '../../src/campaign/foreign-time.ts';
import { hashOf, type Campaign, type CouponHash } from './state.ts';

export interface Drift {
  code: FindingCode;
  /** Null: it is about the coupon itself. */
  userId: string | null;
}

/** Where a user stands; undefined: not there. */
interface Standing {
  admitted: { score: number; requestId: string } | undefined;
  waiting: number | undefined;
  lease: number | undefined;
  claim: { score: number; leaseMs: number } | undefined;
  dead: string | undefined;
  hash: Readonly<Record<string, string>> | undefined;
  occupied: boolean;
  row: ReturnType<Campaign['ledger']['rows']['get']>;
}

const USERS: Partial<Record<FindingCode, (user: Standing, nowMs: number) => boolean>> = {
  lost: (user) => user.admitted !== undefined && !user.row && !stands(user) && !user.claim,
  claim_without_lease: (user) => user.claim !== undefined && !stands(user),
  lease_without_claim: (user) => user.lease !== undefined && !user.claim,
  lease_absurd: ({ lease, claim }, nowMs) => lease !== undefined && claim !== undefined && lease > nowMs + 2 * claim.leaseMs,
  hash_missing: (user) => user.row !== undefined && user.admitted !== undefined && !user.hash && !user.occupied && !stands(user),
  hash_wrong_type: ({ occupied, row, admitted }) => occupied && (row !== undefined || admitted !== undefined),
  row_without_admission: ({ row, admitted, waiting }) => row !== undefined && !admitted && waiting === undefined,
  place_without_admission: (user) =>
    !user.row && !user.admitted && (user.claim !== undefined || stands(user)) && user.waiting === undefined,
  hash_only: ({ hash, row }) => hash !== undefined && !row,
  hash_mismatch: ({ hash, row, dead }) => hash !== undefined && row !== undefined && dead === undefined && !sameFields(hash, hashOf(row)),
  hash_unreadable_time: ({ hash, row, dead }) => !(dead !== undefined && row) && hash !== undefined && isUnreadable(hash['used_at']),
  dead_but_issued: ({ dead, row }) => dead !== undefined && row !== undefined,
  request_time_mismatch: ({ admitted, waiting, claim, row }) =>
    admitted !== undefined &&
    (time(waiting ?? admitted.score) !== time(admitted.score) ||
      time((claim ?? admitted).score) !== time(admitted.score) ||
      (row?.requestedUs ?? time(admitted.score)) !== time(admitted.score)),
};

/** One time in two units is one time; what is no time agrees with itself alone. */
function time(score: number): number {
  return scoreToMicros(score) ?? score;
}

/** Waiting, claimed or dead. Between the commit and the ack an issued user is so, too. */
function stands({ waiting, lease, dead }: Standing): boolean {
  return waiting !== undefined || lease !== undefined || dead !== undefined;
}

const COUPON: Partial<Record<FindingCode, (campaign: Campaign) => boolean>> = {
  over_issued: ({ ledger }) => Math.max(issuedRows(ledger), ledger.issuedQuantity) > ledger.total,
  issued_quantity_mismatch: ({ ledger }) =>
    issuedRows(ledger) !== ledger.issuedQuantity || ledger.rows.size - issuedRows(ledger) !== ledger.returnedQuantity,
  coupon_missing: ({ redis }) => !redis.coupon,
  suspect: ({ redis }) => redis.coupon !== null && redis.coupon.suspect !== '',
  accepted_may_be_missing: ({ ledger }) => ledger.mayBeMissing !== null,
  served_out_of_order: isOutOfOrder,
};

/** About a hash that has the fields of this program. */
const WHOLE_HASH: Partial<Record<FindingCode, (coupon: CouponHash, ledger: Campaign['ledger']) => boolean>> = {
  epoch_missing: ({ epoch }) => epoch === '',
  epoch_mismatch: ({ epoch }, ledger) => epoch !== '' && epoch !== ledger.epoch,
  total_mismatch: ({ total }, ledger) => total !== ledger.total,
  redis_behind: ({ fence }, ledger) => (fence || 0) < ledger.maxFence,
  ledger_behind: ({ acked }, ledger) => acked > ledger.maxFence,
  version_mismatch: ({ version }, ledger) => version !== ledger.version,
  settings_mismatch: ({ version, givenBack, name, closesAt }, ledger) =>
    Number.isNaN(version) || givenBack !== ledger.returnedQuantity || name !== ledger.name || closesAt !== ledger.closesAt,
};

/** Against how many have been promised one. */
const STOCK: Partial<Record<FindingCode, (coupon: CouponHash, promises: number) => boolean>> = {
  over_admitted: ({ stock, total, returned }, promises) => !Number.isNaN(stock) && promises > total + returned,
  stock_missing: ({ stock }) => Number.isNaN(stock),
  stock_mismatch: ({ stock, total, returned }, promises) => !Number.isNaN(stock) && total + returned !== stock + promises,
};

/** Everything that an audit must find, and nothing else. */
export function drift(campaign: Campaign, nowMs: number): Drift[] {
  const found: Drift[] = [];
  const aboutCoupon = (code: FindingCode): number => found.push({ code, userId: null });
  for (const [code, isWrong] of entries(COUPON)) if (isWrong(campaign)) aboutCoupon(code);
  const { redis, ledger } = campaign;
  const { coupon } = redis;
  // What a shared hash has lost is the program's own: the next request or claim takes the coupon back.
  const isRewritten = ledger.shared && coupon?.epoch === '' && coupon.suspect === '';
  if (coupon && !isRewritten) for (const [code, isWrong] of entries(WHOLE_HASH)) if (isWrong(coupon, ledger)) aboutCoupon(code);
  const counted = isRewritten ? { ...coupon, returned: ledger.returnedQuantity } : coupon;
  if (counted) for (const [code, isWrong] of entries(STOCK)) if (isWrong(counted, promised(redis))) aboutCoupon(code);
  for (const userId of everybody(campaign)) {
    const user = standing(campaign, userId);
    for (const [code, isWrong] of entries(USERS)) if (isWrong(user, nowMs)) found.push({ code, userId });
  }
  return found;
}

export function isAboutCoupon({ code }: Drift): boolean {
  return FINDINGS[code].about === 'coupon';
}

/**
 * What must never happen, whatever becomes of the stores. Each as a sentence; none: all is well.
 */
export function impossible({ redis, ledger, refuses }: Campaign): string[] {
  const { coupon, claims, leases, waiting, dead } = redis;
  const broken: string[] = [];
  if (issuedRows(ledger) > ledger.total) broken.push('more are issued than there are coupons');
  if (issuedRows(ledger) !== ledger.issuedQuantity) broken.push('the ledger counts other rows than it has');
  for (const userId of ledger.rows.keys()) if (refuses(userId) !== null) broken.push(`${userId} is issued, whom the ledger refuses`);
  for (const userId of new Set([...waiting.keys(), ...leases.keys(), ...dead.keys()])) {
    const places = [waiting, leases, dead].filter((place) => place.has(userId)).length;
    if (places > 1) broken.push(`${userId} stands in ${places} of waiting, claimed and dead`);
  }
  if (!coupon) return broken;
  if (coupon.stock < 0) broken.push('the stock is below zero');
  if (coupon.returned < 0) broken.push('fewer than none were returned');
  const holders = new Map<number, string>();
  for (const [userId, { fence, worker }] of claims) {
    if (fence > coupon.fence) broken.push(`the claim of ${userId} has a number that was not given yet`);
    if ((holders.get(fence) ?? worker) !== worker) broken.push(`claim ${fence} was given to two workers`);
    holders.set(fence, worker);
  }
  return broken;
}

/** Rows that count as issued. */
function issuedRows({ rows }: Campaign['ledger']): number {
  return [...rows.values()].filter(({ returned }) => !returned).length;
}

/** Members of the queue whom another service put there; the next claim adopts them. */
export function adoptable({ redis, ledger }: Campaign): string[] {
  return [...redis.waiting.keys()].filter((userId) => !redis.admitted.has(userId) && !ledger.rows.has(userId));
}

/** Everyone who has been promised a coupon: |admitted ∪ waiting|. */
function promised({ admitted, waiting }: Campaign['redis']): number {
  return new Set([...admitted.keys(), ...waiting.keys()]).size;
}

/** Among those served at their first delivery, somebody got a later turn than somebody who asked later. */
function isOutOfOrder({ redis, ledger }: Campaign): boolean {
  const first = [...ledger.rows.values()].filter((row) => row.deliveries === 1 && (redis.admitted.get(row.userId)?.requestId ?? '') !== '');
  return first.some((early) => first.some((late) => early.requestedUs < late.requestedUs && early.fence > late.fence));
}

function sameFields(hash: Readonly<Record<string, string>>, expected: Record<string, string>): boolean {
  return Object.entries({ revoked_at: '', ...expected }).every(
    ([field, value]) =>
      (hash[field] ?? (field === 'revoked_at' ? '' : null)) === value || (field === 'used_at' && isUnreadable(hash[field])),
  );
}

function isUnreadable(text: string | undefined): boolean {
  return readForeignTime(text).kind === 'unreadable';
}

export function everybody({ redis, ledger }: Campaign): string[] {
  const maps = [redis.admitted, redis.waiting, redis.leases, redis.claims, redis.dead, redis.issued, ledger.rows];
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].toSorted();
}

function standing({ redis, ledger }: Campaign, userId: string): Standing {
  return {
    admitted: redis.admitted.get(userId),
    waiting: redis.waiting.get(userId),
    lease: redis.leases.get(userId),
    claim: redis.claims.get(userId),
    dead: redis.dead.get(userId),
    hash: redis.issued.get(userId),
    occupied: redis.occupied.has(userId),
    row: ledger.rows.get(userId),
  };
}

function entries<V>(table: Partial<Record<FindingCode, V>>): [FindingCode, V][] {
  return Object.entries(table) as [FindingCode, V][];
}
