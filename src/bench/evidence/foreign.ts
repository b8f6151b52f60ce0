import type { CouponDefinition } from '../../campaign/coupon.ts';
import { CouponError, isOutage } from '../../lib/errors.ts';
import type { UserDirectory } from '../plan/user-plan.ts';
import { collectForeign } from './foreign-collect.ts';
import { foreignDiffers, foreignMissing, foreignUsed } from './foreign-refusals.ts';
import type { CouponLook, EvidenceSource } from './source.ts';
import type { ForeignStores, IssuedList } from './foreign-ports.ts';

/** Evidence from what another service keeps: its Redis keys, its list of issued coupons, or neither. */
export function foreignEvidence(stores: ForeignStores): EvidenceSource {
  const { redis, issued } = stores;
  return {
    remarks: redis?.has.issued && !redis.has.list && !issued ? ['ISSUED_KEYS_NOT_SCANNED'] : [],
    preflight: (coupon, users, allowUsed) => preflight(stores, coupon, users, allowUsed),
    look: async (couponId) => (redis || issued || stores.stock ? lookAt(stores, couponId) : null),
    unserved: unservedOf(stores),
    collect: (options) => collectForeign(stores, options),
  };
}

/** Users without a place in everything that names issued users: their key, and the list. */
function unservedOf({ redis, issued }: ForeignStores): EvidenceSource['unserved'] {
  /** The list is read again only when it has another length. */
  const listed = new Map<string, { count: number; users: Set<string> }>();
  const listOf = async (list: IssuedList, couponId: string): Promise<Set<string>> => {
    const count = await list.count(couponId);
    const known = listed.get(couponId);
    if (known?.count === count) return known.users;
    const users = new Set<string>();
    await list.read(couponId, (rows) => rows.forEach((row) => users.add(row.userId)));
    listed.set(couponId, { count, users });
    return users;
  };
  return (couponId, userIds) =>
    asOutage(async () => {
      if (userIds.length === 0) return [];
      const keys = redis?.has.issued ? new Set(await redis.issued(couponId, userIds)) : null;
      const list = issued ? await listOf(issued, couponId) : null;
      return userIds.filter((userId) => (keys && !keys.has(userId)) || (list && !list.has(userId)));
    });
}

async function preflight(
  { redis, issued, stock }: ForeignStores,
  { id, total }: CouponDefinition,
  users: UserDirectory,
  allowUsed: boolean,
): Promise<Uint32Array> {
  const coupon = redis?.has.coupon ? await redis.coupon(id) : null;
  if (redis?.has.coupon && (!coupon || coupon.stock === null)) throw foreignMissing(id, coupon !== null);
  if (coupon && coupon.total !== null && coupon.total !== total) throw foreignDiffers(id, total, coupon.total);
  const waiting = redis?.has.queue ? await redis.waiting(id) : 0;
  const issuedSoFar = issued ? await countSoFar(issued, id) : redis?.has.list ? await redis.listed(id) : 0;
  const left = coupon?.stock ?? (stock ? await stock(id) : null);
  const spent = left === null ? 0 : total - left;
  if (waiting === 0 && issuedSoFar === 0 && spent === 0) return new Uint32Array();
  if (!allowUsed) throw foreignUsed(id, { waiting, issued: issuedSoFar, spent });

  const found = new Set<number>();
  const add = (userId: string): unknown => found.add(users.numberOf(userId));
  if (redis?.has.queue) for await (const chunk of redis.queue(id)) chunk.forEach(add);
  if (issued && issuedSoFar > 0) await issued.read(id, (rows) => rows.forEach((row) => add(row.userId)));
  // Only a walk finds users that no list names; the caller has agreed to this coupon.
  else if (redis?.has.issued) for await (const chunk of redis.scanIssued(id)) chunk.forEach(add);
  return Uint32Array.from(found);
}

/** An export that is not there yet holds no user. */
async function countSoFar(issued: IssuedList, couponId: string): Promise<number> {
  try {
    return await issued.count(couponId);
  } catch (error) {
    if (error instanceof CouponError && error.code === 'EXPORT_MISSING') return 0;
    throw error;
  }
}

function lookAt({ redis, issued, stock }: ForeignStores, couponId: string): Promise<CouponLook> {
  return asOutage(async () => ({
    stock: redis?.has.coupon ? ((await redis.coupon(couponId))?.stock ?? null) : stock ? await stock(couponId) : null,
    waiting: redis?.has.queue ? await redis.waiting(couponId) : 0,
    claimed: 0,
    issued: issued ? await issued.count(couponId) : null,
    mark: '',
  }));
}

/**
 * Once requests have been sent, whatever keeps us from reading (a key that turned out to be of another type, a permission, a
 * query that takes too long) is a gap in the evidence and no reason to lose the run.
 */
async function asOutage<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CouponError) || isOutage(error)) throw error;
    const { code, message, why, fix } = error;
    throw new CouponError({ code, kind: 'unreachable', message, why, fix, cause: error });
  }
}
