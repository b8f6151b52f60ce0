import type { LedgerReader } from '../campaign/ports/ledger.ts';
import { chunked } from '../lib/chunked.ts';
import { scoreToIso } from '../campaign/coupon.ts';
import { mayHaveRow } from '../campaign/ids.ts';
import { ledgerCoupon, type InspectPorts, type PageOptions } from './inspect/coupons.ts';
import { knownCoupon } from '../campaign/known-coupon.ts';
import type { RedisReader } from '../campaign/ports/redis-reader.ts';
import type { DeadUsers, DropOutcome, RetryOutcome } from './ports.ts';

/** Dead-lettered users, by user id. Times are ISO 8601; null: unknown. */
export interface DeadList {
  couponId: string;
  total: number;
  dead: DeadLine[];
  next: string | null;
}

export interface DeadLine {
  userId: string;
  reason: string;
  requestedAt: string | null;
  /** How often the user was handed to a worker, and how often the ledger refused. */
  deliveries: number;
  faults: number;
}

/** @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH` */
export async function listDead(ports: InspectPorts, couponId: string, { limit, after }: PageOptions): Promise<DeadList> {
  await ledgerCoupon(ports, couponId);
  const all = await deadIds(ports.reader, couponId);
  const left = after === null ? all : all.filter((userId) => userId > after);
  const page = left.slice(0, limit);
  const users = await ports.reader.users(couponId, page);
  const dead = users.flatMap(({ userId, dead: reason, admitted, claim }) =>
    // A user may have been put back since.
    reason === null
      ? []
      : [
          {
            userId,
            reason,
            requestedAt: admitted && scoreToIso(admitted.score),
            deliveries: claim?.deliveries ?? 0,
            faults: claim?.faults ?? 0,
          },
        ],
  );
  return { couponId, total: all.length, dead, next: left.length > limit ? page.at(-1)! : null };
}

async function deadIds(reader: RedisReader, couponId: string): Promise<string[]> {
  const ids = new Set<string>();
  for await (const chunk of reader.walk(couponId, 'dead')) for (const userId of chunk) ids.add(userId);
  return [...ids].toSorted();
}

export interface DeadPorts {
  dead: DeadUsers;
  reader: RedisReader;
  ledger: Pick<LedgerReader, 'coupon' | 'rows'>;
  keyStyle: string;
}

/** What became of each user who was named. `issued`: has a coupon after all, so nothing was done; a repair puts the record right. */
export interface DeadAnswer<O extends string> {
  couponId: string;
  users: { userId: string; outcome: O }[];
  /** How many were put back, or dropped. */
  done: number;
}

/**
 * Puts users back into the queue, each at the original place.
 *
 * @param userIds null: every dead-lettered user
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`, `COUPON_NOT_READY`
 */
export async function retryDead(ports: DeadPorts, couponId: string, userIds: readonly string[] | null): Promise<DeadAnswer<RetryOutcome>> {
  const { epoch } = await knownCoupon(ports.ledger, couponId, ports.keyStyle);
  const wanted = userIds ?? (await deadIds(ports.reader, couponId));
  const outcomes = await ports.dead.retry(couponId, epoch, wanted);
  return answer(
    couponId,
    wanted.map((userId, i) => ({ userId, outcome: outcomes[i]! })),
  );
}

/**
 * Gives users up: their coupons go back to the stock, and they may ask again. A user who has a coupon keeps it.
 *
 * @param userIds null: every dead-lettered user
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`, `COUPON_NOT_READY`
 */
export async function dropDead(
  ports: DeadPorts,
  couponId: string,
  userIds: readonly string[] | null,
): Promise<DeadAnswer<DropOutcome | 'issued'>> {
  const { epoch } = await knownCoupon(ports.ledger, couponId, ports.keyStyle);
  const wanted = userIds ?? (await deadIds(ports.reader, couponId));
  const users: { userId: string; outcome: DropOutcome | 'issued' }[] = [];
  for (const chunk of chunked(wanted, CHUNK)) {
    // A name outside the rule cannot be in the ledger, which would not even take the question.
    const issued = new Set((await ports.ledger.rows(couponId, chunk.filter(mayHaveRow))).map((row) => row.userId));
    const free = chunk.filter((userId) => !issued.has(userId));
    const dropped = await ports.dead.drop(couponId, epoch, free);
    const outcomes = new Map(free.map((userId, i) => [userId, dropped[i]!]));
    users.push(...chunk.map((userId) => ({ userId, outcome: outcomes.get(userId) ?? ('issued' as const) })));
  }
  return answer(couponId, users);
}

const CHUNK = 1_000;

function answer<O extends string>(couponId: string, users: { userId: string; outcome: O }[]): DeadAnswer<O> {
  return { couponId, users, done: users.filter((user) => user.outcome === 'ok').length };
}
