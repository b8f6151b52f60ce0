import { CouponError } from '../../lib/errors.ts';
import type { Consulted, LedgerEvidence, RedisEvidence } from '../checks/integrity.ts';
import { stepOf } from './issued-row.ts';
import { issueTimes } from './issue-times.ts';
import type { IssuedRow } from './issued-row.ts';
import type { UserDirectory } from '../plan/user-plan.ts';
import type { CollectedEvidence, EvidenceOptions } from './source.ts';
import type { ForeignRedis, ForeignStores } from './foreign-ports.ts';

/** Reads the queue, then the list of issued coupons, then the issued keys: the order in which users move on. */
export async function collectForeign(stores: ForeignStores, options: EvidenceOptions): Promise<CollectedEvidence> {
  const { redis, issued } = stores;
  const { couponId, total, settled, idle = false, before, users } = options;
  const consulted: Consulted = {
    ledger: issued !== null,
    hashes: redis?.has.issued ?? false,
    stock: redis?.has.coupon || stores.stock !== null,
  };
  const unreadable: CollectedEvidence['unreadable'] = [];
  const keys = redis ?? (stores.stock ? NO_KEYS : null);
  let [why, redisWhy]: (string | undefined)[] = [];
  const told = (error: CouponError): void => void (redisWhy = reasonOf(error));
  const waiting = keys && (await readable(() => readQueue(keys, couponId, users), told));
  const rows =
    issued &&
    (await readable(
      async () => {
        const all: IssuedRow[] = [];
        await issued.read(couponId, (chunk) => {
          for (const row of chunk) all.push(row);
        });
        for (const row of all) users.numberOf(row.userId);
        return all;
      },
      (error) => (why = reasonOf(error)),
    ));
  const inRedis = keys && waiting && (await readable(() => readRedis(keys, stores, options, waiting, rows), told));
  if (keys && !inRedis) unreadable.push('REDIS_UNREADABLE');
  if (issued && !rows) unreadable.push('LEDGER_UNREADABLE');
  return {
    evidence: {
      couponId,
      total,
      settled,
      // Without a queue to look into, nothing tells a worker that pauses from one that is done.
      ...(!settled && idle && redis?.has.queue && waiting?.size === 0 ? { idle: true as const } : {}),
      before,
      consulted,
      redis: inRedis,
      ledger: rows && ledgerEvidence(rows, users),
    },
    issued: rows && issueTimes(rows, (row) => row.issuedUs, before, users),
    unreadable,
    ...(why === undefined ? {} : { why }),
    ...(redisWhy === undefined ? {} : { redisWhy }),
  };
}

/** Null when it could not be read, for whatever reason that can be explained: that is a gap, and not a finding. */
async function readable<T>(read: () => Promise<T>, told: (error: CouponError) => void = () => undefined): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    told(error);
    return null;
  }
}

function reasonOf({ message, why }: CouponError): string {
  return why === undefined ? message : `${message}: ${why}`;
}

async function readQueue(redis: typeof NO_KEYS, couponId: string, users: UserDirectory): Promise<Set<number>> {
  const waiting = new Set<number>();
  if (redis.has.queue) for await (const chunk of redis.queue(couponId)) for (const id of chunk) waiting.add(users.numberOf(id));
  return waiting;
}

/** For a service whose stock is known by a query, and nothing else. */
const NO_KEYS: Pick<ForeignRedis, 'has' | 'queue' | 'issued' | 'coupon' | 'scanIssued'> = {
  has: { coupon: false, queue: false, issued: false, list: false },
  coupon: async () => null,
  async *queue() {},
  issued: async () => [],
  async *scanIssued() {},
};

async function readRedis(
  redis: typeof NO_KEYS,
  { stock }: ForeignStores,
  { couponId, total, settled, before, asked, users }: EvidenceOptions,
  waiting: ReadonlySet<number>,
  rows: readonly IssuedRow[] | null,
): Promise<RedisEvidence> {
  const listed = (rows ?? []).map((row) => users.numberOf(row.userId));
  const wanted = new Set([...asked, ...waiting, ...before, ...listed]);
  const found = new Set<string>();
  if (redis.has.list) for await (const chunk of redis.scanIssued(couponId)) for (const userId of chunk) found.add(userId);
  else if (redis.has.issued) {
    const ids = Array.from(wanted, (user) => users.id(user));
    for (const userId of await redis.issued(couponId, ids)) found.add(userId);
  }
  const issued = Uint32Array.from(found, (userId) => users.numberOf(userId));
  const coupon = redis.has.coupon ? await redis.coupon(couponId) : stock ? { total, stock: await stock(couponId) } : null;
  // A user between queue and issue is out of sight, and whether a revoked coupon returned to the stock is not known.
  const known = settled && (redis.has.issued || rows !== null) && !rows?.some((row) => row.revoked);
  return {
    issued,
    waiting: Uint32Array.from(waiting),
    claimed: new Uint32Array(),
    dead: new Uint32Array(),
    total: coupon && (coupon.total ?? total),
    stock: coupon && coupon.stock,
    returned: 0,
    spent: known ? new Set([...issued, ...waiting, ...listed]).size : null,
  };
}

function ledgerEvidence(rows: readonly IssuedRow[], users: UserDirectory): LedgerEvidence {
  return {
    user: Uint32Array.from(rows, (row) => users.numberOf(row.userId)),
    requestedUs: Float64Array.from(rows, (row) => row.requestedUs),
    requestedStepUs: stepOf(rows.map((row) => row.requestedUs)),
    turn: Float64Array.from(rows, (row) => row.turn),
    revoked: Uint8Array.from(rows, (row) => (row.revoked ? 1 : 0)),
    issuedQuantity: null,
  };
}
