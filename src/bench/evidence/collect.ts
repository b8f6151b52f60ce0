import { chunked } from '../../lib/chunked.ts';
import { isOutage } from '../../lib/errors.ts';
import type { LedgerEvidence, RedisEvidence } from '../checks/integrity.ts';
import { isCompanion } from '../../campaign/ids.ts';
import { isCouponFault } from '../../campaign/wrong-type.ts';
import type { UserDirectory } from '../plan/user-plan.ts';
import type { BenchStores } from '../ports.ts';
import type { CollectedEvidence, EvidenceOptions } from './source.ts';
import { issueTimes } from './issue-times.ts';
import type { LedgerRow } from '../../campaign/ports/ledger.ts';
import type { UserSource } from '../../campaign/ports/redis-reader.ts';

const PAGE = 1_000;
/** The ledger keeps milliseconds of `issued_at`. */
const LEDGER_STEP_US = 1_000;

/**
 * Reads what both stores say about one coupon: queue, leases and queue again, then the ledger, then the hashes. Users move in
 * that direction only (and back from the leases to the queue), so an accepted user is seen at least once on the way.
 */
export async function collectEvidence(stores: BenchStores, options: EvidenceOptions): Promise<CollectedEvidence> {
  const { couponId, total, settled, before, users } = options;
  const unreadable: CollectedEvidence['unreadable'] = [];
  const places = await readable(() => readPlaces(stores, couponId, users));
  const rows = await readable(() => readRows(stores, couponId, users));
  const redis = places && (await readable(() => readHashes(stores, options, places, rows)));
  const coupon = rows && (await readable(() => stores.ledger.coupon(couponId)));
  if (!redis) unreadable.push('REDIS_UNREADABLE');
  if (!rows) unreadable.push('LEDGER_UNREADABLE');
  return {
    evidence: { couponId, total, settled, before, redis, ledger: rows && ledgerEvidence(rows, users, coupon?.issuedQuantity ?? null) },
    issued: rows && issueTimes(rows, (row) => 1_000 * row.issuedAt.getTime(), before, users, LEDGER_STEP_US),
    unreadable,
  };
}

/** Null when the store cannot be reached, or a key cannot be read: what it would say is then not checked, which is no fault. */
async function readable<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (isOutage(error) || isCouponFault(error)) return null;
    throw error;
  }
}

type Places = Omit<RedisEvidence, 'issued'>;

async function readPlaces({ redis }: BenchStores, couponId: string, users: UserDirectory): Promise<Places> {
  const walk = async (source: UserSource, into = new Set<number>()): Promise<Set<number>> => {
    // A walk may name a user twice.
    for await (const chunk of redis.walk(couponId, source)) for (const id of chunk) into.add(users.numberOf(id));
    return into;
  };
  const waiting = await walk('waiting');
  const claimed = await walk('leases');
  await walk('waiting', waiting);
  for (const user of claimed) waiting.delete(user);
  const dead = await walk('dead');
  const spent = await walk('admitted', new Set(waiting));
  const coupon = await redis.coupon(couponId);
  return {
    waiting: Uint32Array.from(waiting),
    claimed: Uint32Array.from(claimed),
    dead: Uint32Array.from(dead),
    total: coupon?.total ?? null,
    stock: coupon?.stock ?? null,
    returned: coupon?.returned ?? 0,
    spent: spent.size,
  };
}

async function readRows({ ledger }: BenchStores, couponId: string, users: UserDirectory): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (let after = ''; ;) {
    const page = await ledger.page(couponId, after, PAGE);
    if (page.length === 0) return rows;
    for (const row of page) {
      rows.push(row);
      users.numberOf(row.userId);
    }
    after = page.at(-1)!.userId;
  }
}

async function readHashes(
  { redis, ownKeyspace }: BenchStores,
  options: EvidenceOptions,
  places: Places,
  rows: LedgerRow[] | null,
): Promise<RedisEvidence> {
  const { couponId, users } = options;
  const issued = new Set<number>();
  if (ownKeyspace) {
    for await (const chunk of redis.scanIssued(couponId, 'hashes')) {
      for (const id of chunk) if (!isCompanion(id)) issued.add(users.numberOf(id));
    }
  } else {
    const wanted = new Set<number>(options.asked);
    for (const list of [places.waiting, places.claimed, places.dead, options.before]) for (const user of list) wanted.add(user);
    for (const row of rows ?? []) wanted.add(users.numberOf(row.userId));
    for (const chunk of chunked([...wanted], PAGE)) {
      const ids = chunk.map((user) => users.id(user));
      for (const user of await redis.users(couponId, ids)) if (user.issued) issued.add(users.numberOf(user.userId));
    }
  }
  return { ...places, issued: Uint32Array.from(issued) };
}

function ledgerEvidence(rows: LedgerRow[], users: UserDirectory, issuedQuantity: number | null): LedgerEvidence {
  return {
    user: Uint32Array.from(rows, (row) => users.numberOf(row.userId)),
    requestedUs: Float64Array.from(rows, (row) => row.requestedUs),
    requestedStepUs: 1,
    turn: Float64Array.from(rows, (row) => (row.deliveries === 1 ? row.fence : Number.NaN)),
    revoked: Uint8Array.from(rows, (row) => (row.revokedAt ? 1 : 0)),
    issuedQuantity,
  };
}
