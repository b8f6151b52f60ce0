/** What real stores hold of the one coupon of a history, in the words of the reference model, so that the two can be compared. */
import {
  oldestFirst,
  type Campaign,
  type ClaimRecord,
  type CouponHash,
  type LedgerEntry,
  type LedgerSide,
  type RedisSide,
} from './state.ts';
import { couponKeys } from '../../src/stores/redis/keys.ts';
import { LEASE_MS, USERS } from './history.ts';
import type { TestStores } from '../support/stores.ts';

export const ID = '42';
export const KEYS = couponKeys(ID, 'plain');

/** Redis, with eyes of its own, as a state of the model. The queue is in the order in which Redis has it. */
export async function readRedis({ redis }: TestStores): Promise<RedisSide> {
  const commands = redis
    .multi()
    .hgetall(KEYS.coupon)
    .hgetall(KEYS.admitted)
    .zrange(KEYS.queue, 0, '-1', 'WITHSCORES')
    .zrange(KEYS.leases, 0, '-1', 'WITHSCORES')
    .hgetall(KEYS.claims)
    .hgetall(KEYS.dead);
  for (const userId of USERS) commands.hgetall(KEYS.issued(userId));
  const replies = (await commands.exec())!.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  type Hash = Record<string, string>;
  type Scores = (string | [string, string])[];
  const [coupon, admitted, queue, leases, claims, dead, ...issued] = replies as [Hash, Hash, Scores, Scores, Hash, Hash, ...Hash[]];
  return {
    coupon: Object.keys(coupon).length === 0 ? null : parseCoupon(coupon),
    admitted: new Map(Object.entries(admitted).map(([userId, record]) => [userId, parseAdmission(record)])),
    waiting: scores(queue),
    leases: scores(leases),
    claims: new Map(Object.entries(claims).map(([userId, record]) => [userId, parseClaim(record)])),
    dead: new Map(Object.entries(dead)),
    issued: new Map(USERS.map((userId, i) => [userId, issued[i]!] as const).filter(([, hash]) => Object.keys(hash).length > 0)),
  };
}

export async function readLedger({ sql }: TestStores): Promise<LedgerSide> {
  const [[coupon], rows] = await Promise.all([sql('SELECT * FROM coupons'), sql('SELECT * FROM issued_coupons')]);
  return {
    total: Number(coupon!['total_quantity']),
    epoch: String(coupon!['epoch']),
    issuedQuantity: Number(coupon!['issued_quantity']),
    maxFence: Number(coupon!['max_fence']),
    rows: new Map(rows.map((row) => [String(row['user_id']), toEntry(row)])),
  };
}

function parseCoupon(hash: Record<string, string>): CouponHash {
  const number = (field: string): number => Number(hash[field] ?? 0);
  return {
    total: number('total'),
    stock: Number(hash['stock'] ?? Number.NaN),
    returned: number('returned'),
    suspect: hash['suspect'] ?? '',
    epoch: hash['epoch'] ?? '',
    run: hash['run'] ?? '',
    lastUs: number('last_us'),
    fence: number('fence'),
    acked: number('acked'),
  };
}

function scores(flat: (string | [string, string])[]): Map<string, number> {
  const list = flat.flat();
  return new Map(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!, Number(list[2 * i + 1])]));
}

function parseAdmission(record: string): { score: number; requestId: string } {
  const [score, ...rest] = record.split(':');
  return { score: Number(score), requestId: rest.join(':') };
}

function parseClaim(record: string): ClaimRecord {
  const [fence, worker, score, leaseMs, deliveries, faults] = record.split(':');
  const numbers = { fence: Number(fence), score: Number(score), leaseMs: Number(leaseMs) };
  return { ...numbers, worker: worker!, deliveries: Number(deliveries), faults: Number(faults) };
}

function toEntry(row: Record<string, unknown>): LedgerEntry {
  const date = (name: string): Date | null => row[name] as Date | null;
  return {
    userId: String(row['user_id']),
    couponId: String(row['coupon_id']),
    requestedUs: Number(row['requested_us']),
    requestedAt: date('requested_at')!,
    issuedAt: date('issued_at')!,
    expiresAt: date('expires_at'),
    usedAt: date('used_at'),
    revokedAt: date('revoked_at'),
    worker: String(row['worker']),
    fence: Number(row['fence']),
    deliveries: Number(row['deliveries']),
  };
}

/**
 * A state as it can be compared: deadlines without a clock of ours, servers without their ids, and of a refusal only the SQLSTATE.
 * The queue is a list: its order counts.
 */
export function portrait({ redis, ledger, server }: Pick<Campaign, 'redis' | 'ledger' | 'server'>): object {
  const now = Date.now();
  const lease = (deadline: number): string => (deadline <= now ? 'over' : deadline > now + 2 * LEASE_MS ? 'absurd' : 'held');
  return {
    coupon: redis.coupon && { ...redis.coupon, run: redis.coupon.run === server ? 'this server' : 'another' },
    waiting: [...redis.waiting],
    leases: new Map([...redis.leases].map(([userId, deadline]) => [userId, lease(deadline)])),
    dead: new Map([...redis.dead].map(([userId, reason]) => [userId, sqlState(reason)])),
    admitted: redis.admitted,
    claims: redis.claims,
    issued: redis.issued,
    ledger,
  };
}

/** The model keeps its queue in no order. */
export function modelPortrait({ redis, ledger, server }: Campaign): object {
  const waiting = new Map(oldestFirst(redis.waiting).map((userId) => [userId, redis.waiting.get(userId)!]));
  return portrait({ redis: { ...redis, waiting }, ledger, server });
}

/** Answers of both sides in one form: rows come in no order. */
export function comparable(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('rows' in answer)) return answer;
  const { rows, refused, stopped } = answer as { rows: { userId: string }[]; refused: { reason: string }[]; stopped: unknown };
  const sorted = rows.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
  return { rows: sorted, refused: refused.map((one) => ({ ...one, reason: sqlState(one.reason) })), stopped };
}

function sqlState(reason: string): string {
  return reason.replace(/^(\d{5}) .*/, '$1');
}
