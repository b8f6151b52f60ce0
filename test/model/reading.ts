/** What real stores hold of the one coupon of a history, in the words of the reference model, so that the two can be compared. */
import {
  queueOrder,
  type Campaign,
  type ClaimRecord,
  type CouponHash,
  type LedgerEntry,
  type LedgerSide,
  type RedisSide,
} from './state.ts';
import { escapeMember } from '../../src/campaign/member.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { LEASE_MS, NAMES } from './history.ts';
import type { TestStores } from '../support/stores.ts';

export const ID = '42';
export const KEYS = couponKeys(ID, 'plain');

/** Hashes and sorted sets as flat lists of hexadecimal digits: members may be bytes that no text holds. */
const READ = `
local reply = {}
for i, key in ipairs(KEYS) do
  local type = redis.call('TYPE', key).ok
  local flat = { type, '' }
  if type == 'string' then flat = { 'life', redis.call('GET', key) } end
  if type == 'zset' then flat = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  if type == 'hash' or type == 'none' then flat = redis.call('HGETALL', key) end
  for k, text in ipairs(flat) do
    flat[k] = string.gsub(text, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
  end
  reply[i] = flat
end
return reply`;

/** Redis, with eyes of its own, as a state of the model. The queue is in the order in which Redis has it. */
export async function readRedis({ redis }: TestStores): Promise<RedisSide> {
  const keys = [
    KEYS.coupon,
    KEYS.admitted,
    KEYS.queue,
    KEYS.leases,
    KEYS.claims,
    KEYS.dead,
    KEYS.life,
    ...NAMES.map((userId) => KEYS.issued(userId)),
  ];
  const replies = ((await redis.eval(READ, keys.length, ...keys)) as string[][]).map((flat) =>
    flat.map((hex) => escapeMember(Buffer.from(hex, 'hex'))),
  );
  const [coupon, admitted, queue, leases, claims, dead, life, ...issued] = replies.map(pairs) as [
    Pairs,
    Pairs,
    Pairs,
    Pairs,
    Pairs,
    Pairs,
    Pairs,
    ...Pairs[],
  ];
  return {
    coupon: coupon.length === 0 ? null : parseCoupon(Object.fromEntries(coupon)),
    admitted: new Map(admitted.map(([userId, record]) => [userId, parseAdmission(record)])),
    waiting: scores(queue),
    leases: scores(leases),
    claims: new Map(claims.map(([userId, record]) => [userId, parseClaim(record)])),
    dead: new Map(dead),
    issued: new Map(
      NAMES.map((userId, i) => [userId, Object.fromEntries(issued[i] ?? [])] as const).filter(([, hash]) => 'userId' in hash),
    ),
    life: life[0]?.[1] ?? null,
    occupied: new Set(NAMES.filter((_, i) => issued[i]?.some(([first]) => first === 'set'))),
  };
}

type Pairs = [string, string][];

function pairs(flat: readonly string[]): Pairs {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

export async function readLedger({ sql }: TestStores): Promise<LedgerSide> {
  const [[coupon], rows, ended] = await Promise.all([
    sql('SELECT * FROM coupons'),
    sql('SELECT * FROM issued_coupons'),
    sql('SELECT epoch FROM coupon_ended_epochs'),
  ]);
  return {
    total: Number(coupon!['total_quantity']),
    epoch: String(coupon!['epoch']),
    version: Number(coupon!['version']),
    name: String(coupon!['name']),
    closesAt: (coupon!['closes_at'] as Date | null)?.toISOString() ?? '',
    shared: coupon!['shared_stock_field'] !== null,
    saleState: (coupon!['sale_state'] ?? '') as LedgerSide['saleState'],
    returnedQuantity: Number(coupon!['returned_quantity']),
    issuedQuantity: Number(coupon!['issued_quantity']),
    maxFence: Number(coupon!['max_fence']),
    minFence: Number(coupon!['min_fence']),
    mayBeMissing: coupon!['may_be_missing'] as number | null,
    ended: new Set(ended.map((row) => String(row['epoch']))),
    rows: new Map(rows.map((row) => [String(row['user_id']), toEntry(row)])),
  };
}

function parseCoupon(hash: Record<string, string>): CouponHash {
  const number = (field: string): number => Number(hash[field] ?? 0);
  return {
    total: number('total'),
    stock: Number(hash['stock'] ?? Number.NaN),
    returned: number('returned'),
    givenBack: number('given_back'),
    suspect: hash['suspect'] ?? '',
    version: Number(hash['version'] ?? Number.NaN),
    name: hash['name'] ?? '',
    closesAt: hash['closes_at'] ?? '',
    state: (hash['state'] ?? '') as CouponHash['state'],
    epoch: hash['epoch'] ?? '',
    run: hash['run'] ?? '',
    lastUs: number('last_us'),
    fence: Number(hash['fence'] ?? Number.NaN),
    acked: number('acked'),
    minFence: number('min_fence'),
    drainedBy: holder(hash['drained_by'] ?? ''),
  };
}

function holder(text: string): string {
  const [worker, untilMs] = text.split(':');
  return Number(untilMs) > Date.now() ? worker! : '';
}

function scores(members: Pairs): Map<string, number> {
  return new Map(members.map(([userId, score]) => [userId, Number(score.replace('inf', 'Infinity'))]));
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
    returned: row['returned_at'] !== null,
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
    occupied: redis.occupied,
    life: redis.life,
    ledger,
  };
}

/** The model keeps its queue in no order. */
export function modelPortrait({ redis, ledger, server }: Campaign): object {
  const waiting = new Map(queueOrder(redis.waiting).map((userId) => [userId, redis.waiting.get(userId)!]));
  return portrait({ redis: { ...redis, waiting }, ledger, server });
}

/** Answers of both sides in one form: rows come in no order. */
export function comparable(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('rows' in answer)) return answer;
  const { rows, refused, stopped } = answer as { rows: { userId: string }[]; refused: { reason: string }[]; stopped: unknown };
  const sorted = rows.map((row) => ({ ...row, returned: undefined })).toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
  return { rows: sorted, refused: refused.map((one) => ({ ...one, reason: sqlState(one.reason) })), stopped };
}

function sqlState(reason: string): string {
  return reason.replace(/^(\d{5}) .*/, '$1');
}
