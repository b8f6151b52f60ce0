/** What an operator may change about a coupon: state, total and window; and how a user, or the coupon as a whole, is removed. */
import { ack } from './claims.ts';
import { mayChange } from './revoke.ts';
import type { Campaign } from './state.ts';

export type ChangeAsked =
  { change: 'pause' | 'resume' } | { change: 'close'; force: boolean } | { change: 'restock' | 'extend' | 'rename' | 'edit'; by: number };

export type ChangeAnswer = 'done' | 'unchanged' | 'refused' | 'waiting';

const STATES = { pause: 'paused', resume: 'open', close: 'closed' } as const;
/** The end of the sale is so many days after this one. */
const FIRST_END = Date.UTC(2100, 0, 1);
const DAY_MS = 24 * 3_600_000;

export function endOfSale(days: number): Date {
  return new Date(FIRST_END + days * DAY_MS);
}

export function nameOf(n: number): string {
  return `Name ${n}`;
}

/** Both stores, or none of them. Done a second time it changes nothing, but for a restock. */
export function change({ redis, ledger }: Campaign, asked: ChangeAsked): ChangeAnswer {
  const coupon = redis.coupon!;
  if (asked.change === 'restock') {
    ledger.total += asked.by;
    coupon.total += asked.by;
    coupon.stock += asked.by;
  } else if (asked.change === 'extend' || asked.change === 'rename' || asked.change === 'edit') {
    // A file for `edit` has both.
    const name = asked.change === 'extend' ? ledger.name : nameOf(asked.by);
    const closesAt = asked.change === 'rename' ? ledger.closesAt : endOfSale(asked.by).toISOString();
    if (ledger.name === name && ledger.closesAt === closesAt) return 'unchanged';
    coupon.name = ledger.name = name;
    coupon.closesAt = ledger.closesAt = closesAt;
  } else {
    const { state } = coupon;
    if (state === STATES[asked.change]) return 'unchanged';
    if (asked.change === 'pause' && state !== 'open') return 'refused';
    if (asked.change === 'resume' && state !== 'paused') return 'refused';
    if (asked.change === 'close' && !asked.force && redis.waiting.size + redis.leases.size > 0) return 'waiting';
    coupon.state = ledger.saleState = STATES[asked.change];
  }
  coupon.version = ledger.version += 1;
  return 'done';
}

/** A command that died does not know, when it is run again, whether there was nothing to do from the start. */
export function afterDeath<Answer extends string>({ dies }: { dies: object | null }, answer: Answer): Answer | 'done' {
  return dies !== null && answer === 'unchanged' ? 'done' : answer;
}

/** Whether a purge would take the coupon: its sale is over, and nobody is left who is promised anything. */
export function mayPurge(campaign: Campaign): boolean {
  const { coupon, waiting, leases, dead } = campaign.redis;
  return mayChange(campaign) && coupon?.state === 'closed' && waiting.size + leases.size + dead.size === 0;
}

/** Whom no other program has written over. */
export function mayForget(campaign: Campaign, userId: string): boolean {
  return mayChange(campaign) && !campaign.redis.occupied.has(userId);
}

/**
 * A tombstone stands wherever the user stood; whoever was held waits again. Sums, order and times stay; of the request only that there was
 * one. No claim that was made so far issues any more: a worker would bring the id back.
 */
export function forget(campaign: Campaign, userId: string, tombstone: string): void {
  const { redis, ledger } = campaign;
  ledger.minFence = Math.max(ledger.minFence, redis.coupon!.fence + 1);
  ledger.maxFence = Math.max(ledger.maxFence, redis.coupon!.fence);
  redis.coupon!.minFence = Math.max(redis.coupon!.minFence, redis.coupon!.fence + 1);
  const row = ledger.rows.get(userId);
  // A row that nobody acknowledged must not wait under another name.
  if (row) ack(campaign, ledger.epoch, [row]);
  const request = redis.admitted.get(userId);
  if (request) redis.admitted.set(userId, { ...request, requestId: request.requestId === '' ? '' : 'forgotten' });
  const hash = redis.issued.get(userId);
  if (hash) redis.issued.set(userId, { ...hash, userId: tombstone });
  const claim = redis.claims.get(userId);
  if (claim && redis.leases.delete(userId) && !redis.waiting.has(userId)) redis.waiting.set(userId, claim.score);
  for (const place of [redis.admitted, redis.waiting, redis.leases, redis.claims, redis.dead, redis.issued])
    rename<unknown>(place, userId, tombstone);
  rename(ledger.rows, userId, tombstone);
  if (row) {
    row.userId = tombstone;
    ack(campaign, ledger.epoch, [row]);
  }
}

function rename<V>(places: Map<string, V>, from: string, to: string): void {
  if (places.has(from)) places.set(to, places.get(from)!);
  places.delete(from);
}
