import { mayHaveRow } from '../campaign/ids.ts';
import { judgeUser, type UserVerdict } from './reconcile/user.ts';
import type { AuditPorts, LedgerBrief } from './ports.ts';
import type { LedgerRow } from '../campaign/ports/ledger.ts';
import type { RedisUser } from '../campaign/ports/redis-reader.ts';

/** Users read together. */
export const CHUNK = 1_000;

export interface JudgedUser {
  user: RedisUser;
  row: LedgerRow | null;
  verdict: UserVerdict;
}

/** A chunk of users as Redis has them, and the time in Redis just after. */
export interface RedisChunk {
  users: RedisUser[];
  nowMs: number;
}

export async function readRedis({ reader }: AuditPorts, couponId: string, userIds: readonly string[]): Promise<RedisChunk> {
  // One connection keeps the order: the time is taken after the users were read.
  const [users, nowMs] = await Promise.all([reader.users(couponId, [...new Set(userIds)]), reader.now()]);
  return { users, nowMs };
}

/** Adds the ledger's rows, which must be read after Redis, and judges. */
export async function judgeChunk({ ledger }: AuditPorts, couponId: string, { users, nowMs }: RedisChunk): Promise<JudgedUser[]> {
  // PostgreSQL refuses some characters of what other services queue.
  const askable = users.map((user) => user.userId).filter(mayHaveRow);
  const rows = new Map((await ledger.rows(couponId, askable)).map((row) => [row.userId, row]));
  return users.map((user) => {
    const row = rows.get(user.userId) ?? null;
    return { user, row, verdict: judgeUser(user, row, nowMs) };
  });
}

/** The same items, with the next one already on its way while the present one is being worked on. */
async function* ahead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = iterator.next();
      // Should the consumer fail first, this one is no longer awaited.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** What becomes of the items, in their order: while one is being worked on for its consumer, the next is already under way. */
export async function* pipelined<T, R>(source: AsyncIterable<T>, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  let before: Promise<R> | null = null;
  for await (const item of ahead(source)) {
    const result = work(item);
    // Should the one before fail first, this one is no longer awaited.
    result.catch(() => undefined);
    if (before) yield await before;
    before = result;
  }
  if (before) yield await before;
}

/** Chunks of user ids from any source, as Redis has them. */
export function redisChunks(ports: AuditPorts, couponId: string, source: AsyncIterable<readonly string[]>): AsyncIterable<RedisChunk> {
  return pipelined(source, (userIds) => readRedis(ports, couponId, userIds));
}

/** The user ids of a source that are wanted, in full chunks. */
export async function* inChunks(
  source: AsyncIterable<readonly string[]>,
  isWanted: (userId: string) => boolean = () => true,
): AsyncGenerator<string[]> {
  let chunk: string[] = [];
  for await (const userIds of source) {
    chunk.push(...userIds.filter(isWanted));
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * The queue by position. While nothing is taken from it this gives every member exactly once, which ZSCAN does not promise.
 */
export async function* queuePages({ reader }: AuditPorts, couponId: string): AsyncGenerator<string[]> {
  for (let offset = 0; ; offset += CHUNK) {
    const entries = await reader.queue(couponId, offset, CHUNK);
    if (entries.length > 0) yield entries.map((entry) => entry.userId);
    if (entries.length < CHUNK) return;
  }
}

/** Ledger rows by key, in short statements. */
export async function* ledgerPages({ ledger }: AuditPorts, couponId: string): AsyncGenerator<LedgerBrief[]> {
  for (let after = ''; ;) {
    const rows = await ledger.briefs(couponId, after, CHUNK);
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    if (rows.length < CHUNK) return;
    after = last.userId;
  }
}
