import { chunked } from '../../lib/chunked.ts';
import type { AckRow } from '../../campaign/ports/acknowledgement.ts';
import type { ClaimOptions, ClaimQueue, ClaimResult } from '../../drain/ports.ts';
import { isoTime, type Claim } from '../../campaign/coupon.ts';
import { mayHaveRow } from '../../campaign/ids.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { toText } from './keys/members.ts';
import { runScript, runScriptForBytes, SCRIPT_USERS } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

export function redisClaims(connection: RedisConnection, style: KeyStyle): ClaimQueue {
  /** For writes: a lost answer is told apart from a command that was never sent. */
  const run = async <T>(couponId: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw await couponFault(connection, couponKeys(couponId, style), error, (other) => connection.explainWrite(other));
    }
  };

  return {
    claim: (couponId, options) => run(couponId, () => claimAll(connection, couponId, style, options)),

    ack: (couponId, epoch, rows, { fence, occupied } = {}) =>
      run(couponId, async () => {
        const keys = couponKeys(couponId, style);
        // Sent at once: other commands still get their turn between two scripts.
        const replies = await allOf(
          Array.from(chunked(rows, SCRIPT_USERS), (chunk) => {
            const reached = Math.max(...chunk.map((row) => row.fence));
            const args = [epoch, couponId, reached, `${connection.prefix}${keys.issued('')}`, issuedLines(chunk), fence ?? ''];
            return runScript(connection.client, 'ack', keys, [], args) as Promise<string[]>;
          }),
        );
        for (const [status, ...wrong] of replies) {
          if (status !== 'ok') return status as 'epoch' | 'ended';
          for (let i = 0; i < wrong.length; i += 2) occupied?.({ key: keys.issued(wrong[i]!), found: wrong[i + 1]!, expected: 'hash' });
        }
        return 'ok';
      }),

    release: (couponId, epoch, claims) =>
      run(couponId, async () => {
        let released = 0;
        for (const chunk of chunked(claims, SCRIPT_USERS)) {
          const args = [epoch, ...chunk.flatMap((claim) => [claim.userId, claim.fence])];
          released += (await runScript(connection.client, 'release', couponKeys(couponId, style), [], args)) as number;
        }
        return released;
      }),

    bury: (couponId, epoch, refused) =>
      run(couponId, async () => {
        let buried = 0;
        for (const chunk of chunked(refused, SCRIPT_USERS)) {
          const args = [epoch, ...chunk.flatMap(({ userId, fence, reason }) => [userId, fence, reason])];
          buried += (await runScript(connection.client, 'bury', couponKeys(couponId, style), [], args)) as number;
        }
        return buried;
      }),

    async backlog(couponId) {
      const keys = couponKeys(couponId, style);
      try {
        const [waiting, claimed] = await Promise.all([connection.client.zcard(keys.queue), connection.client.zcard(keys.leases)]);
        return { waiting, claimed };
      } catch (error) {
        throw await couponFault(connection, keys, error);
      }
    },
  };
}

/** As Promise.all, but never before all of them have ended: none may still be at work when the first fault is told. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

/**
 * Several script runs when the limit is above one run's share. Those for users that are known to wait are sent at once, and wait for the disk
 * together; what they leave tells how many more are worth it, so that an empty queue is asked once.
 */
async function claimAll(connection: RedisConnection, couponId: string, style: KeyStyle, options: ClaimOptions): Promise<ClaimResult> {
  const keys = couponKeys(couponId, style);
  const claim = async (limit: number): Promise<ClaimResult> => {
    const args = [connection.runOf(keys.coupon), options.epoch, limit, options.leaseMs, options.worker, options.holdMs ?? 0];
    return decodeClaims((await runScriptForBytes(connection.client, 'claim', keys, args)) as Nested[]);
  };
  const claimed = async (users: number): Promise<ClaimResult> => {
    const shares = Array.from({ length: Math.ceil(users / SCRIPT_USERS) }, (_, i) => Math.min(SCRIPT_USERS, users - i * SCRIPT_USERS));
    return (await allOf(shares.map(claim))).reduce(joined);
  };
  const known = Math.min(options.limit, Math.max(SCRIPT_USERS, options.waiting ?? 0));
  const first = await claimed(known);
  const left = first.status === 'ok' ? Math.min(options.limit - known, first.waiting) : 0;
  return left > 0 ? joined(first, await claimed(left)) : first;
}

/** What was claimed counts, whatever another run met. The numbers that describe the queue are those of the later one. */
function joined(before: ClaimResult, after: ClaimResult): ClaimResult {
  if (before.status !== 'ok' || after.status !== 'ok') return before.status === 'ok' ? before : after;
  const { claims, reclaimed, buried, refused, timeless, ...later } = after;
  return {
    ...before,
    ...later,
    claims: before.claims.concat(claims),
    reclaimed: before.reclaimed + reclaimed,
    buried: before.buried + buried,
    ...(refused || before.refused ? { refused: [...(before.refused ?? []), ...(refused ?? [])] } : {}),
    ...(timeless || before.timeless ? { timeless: [...(before.timeless ?? []), ...(timeless ?? [])] } : {}),
  };
}

/** Of a reply: text, or a list of it. */
type Nested = Buffer | Nested[];

function texts(nested: Nested | undefined): string[] {
  return Array.isArray(nested) ? nested.flatMap(texts) : nested === undefined ? [] : [toText(nested)];
}

/** A flat list, two by two. */
function pairs(nested: Nested | undefined): [string, string][] {
  const flat = texts(nested);
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

function decodeClaims(reply: Nested[]): ClaimResult {
  const [status, fence, reclaimed, buried, waiting, acked] = reply.slice(0, 6).flatMap(texts);
  if (status === 'suspect') return { status, reason: fence ?? '' };
  if (status === 'held') return { status, by: fence ?? '', waiting: Number(reclaimed) };
  if (status !== 'ok') return { status: status as 'gone' | 'epoch' | 'run' };
  const refused = pairs(reply[6]).map(([userId, reason]) => ({ userId, reason }));
  const timeless = pairs(reply[7]).map(([userId]) => userId);
  return {
    status,
    claims: decodeClaimed(reply[8] as Buffer, Number(fence)),
    reclaimed: Number(reclaimed),
    buried: Number(buried),
    waiting: Number(waiting),
    acked: Number(acked),
    ...(refused.length > 0 ? { refused } : {}),
    ...(timeless.length > 0 ? { timeless } : {}),
  };
}

/** User ids of claims are visible ASCII; what is not was dead-lettered. */
function decodeClaimed(text: Buffer, fence: number): Claim[] {
  if (text.length === 0) return [];
  const fields = text.toString('latin1').split('\t');
  return Array.from({ length: fields.length / 3 }, (_, i) => {
    return { userId: fields[3 * i]!, score: Number(fields[3 * i + 1]), fence, deliveries: Number(fields[3 * i + 2]) };
  });
}

/** Users of one batch share these: they are told once, for half the bytes, and fewer reads of Redis, each of which waits for the disk. */
const SHARED_TIMES = ['expiresAt', 'issuedAt', 'usedAt', 'revokedAt'] as const;

/** A row that other programs wrote into the ledger for no user id of ours has no place in Redis either; `audit` names it. */
function issuedLines(rows: readonly AckRow[]): string {
  let lines = '';
  let before: AckRow | null = null;
  for (const row of rows) {
    if (!mayHaveRow(row.userId)) continue;
    // In a rush many ask in the same millisecond.
    const asked = before && isSameTime(before.requestedAt, row.requestedAt) ? '' : isoTime(row.requestedAt);
    const shared = SHARED_TIMES.every((name) => before && isSameTime(before[name], row[name]))
      ? ''
      : SHARED_TIMES.map((name) => `\t${isoTime(row[name])}`).join('');
    lines += `${row.userId}\t${asked}${shared}\n`;
    before = row;
  }
  return lines;
}

function isSameTime(one: Date | null, other: Date | null): boolean {
  return one === other || one?.getTime() === other?.getTime();
}
