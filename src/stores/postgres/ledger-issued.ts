import type { AuditLedger } from '../../audit/ports.ts';
import type { LedgerReader, LedgerRow } from '../../campaign/ports/ledger.ts';
import type { UseLedger, UseResult } from '../../campaign/ports/use.ts';
import type { IssueLedger, IssueOptions, IssueResult } from '../../drain/ports.ts';
import { microsBySize, type Claim } from '../../campaign/coupon.ts';
import type { Database } from './connection/database.ts';
import { endOfTurn } from '../../lib/end-of-turn.ts';
import { CouponError } from '../../lib/errors.ts';
import { isConflict, isTaken, refusalOf } from './connection/refusal.ts';
import { statement } from './statements.ts';

/** As the table has it. */
export interface IssuedRow {
  coupon_id: string;
  user_id: string;
  requested_at: Date;
  requested_us: string;
  issued_at: Date;
  expires_at: Date | null;
  used_at: Date | null;
  revoked_at: Date | null;
  worker: string;
  fence: string;
  deliveries: number;
}

interface BriefRow extends Pick<IssuedRow, 'user_id' | 'requested_us' | 'fence' | 'deliveries'> {
  text: string;
}

interface CountsRow {
  issued_quantity: number;
  returned_quantity: number;
  max_fence: string;
  rows: number;
  returned: number;
}

type IssuedPart = Omit<LedgerReader, 'coupons' | 'coupon'> & Pick<AuditLedger, 'briefs' | 'counts'> & IssueLedger & UseLedger;

/** The `issued_coupons` table. */
export function ledgerIssued(database: Database): IssuedPart {
  let careful = 0;
  return {
    async issue(couponId, claims, options): Promise<IssueResult> {
      // Who was delivered before may have a row.
      let first = careful === 0 && claims.every(({ deliveries }) => deliveries === 1);
      careful = Math.max(0, careful - 1);
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await issueOnce(database, couponId, claims, { ...options, first });
        } catch (error) {
          if (error instanceof CouponError) throw error;
          if (first && isTaken(error)) {
            first = false;
            careful = CAREFUL;
            continue;
          }
          if (isConflict(error) && attempt < ATTEMPTS) continue;
          const refusal = refusalOf(error);
          if (refusal.status !== 'outage') return refusal;
          throw database.explainCommit(error);
        }
      }
    },

    async page(couponId, afterUserId, limit) {
      return (await database.query<IssuedRow>(statement('page-issued', [couponId, afterUserId, limit]))).map(toRow);
    },

    async briefs(couponId, afterUserId, limit) {
      const rows = await database.query<BriefRow>(statement('page-briefs', [couponId, afterUserId, limit]));
      return rows.map((row) => ({
        userId: row.user_id,
        requestedUs: Number(row.requested_us),
        fence: Number(row.fence),
        deliveries: row.deliveries,
        text: row.text,
      }));
    },

    async rows(couponId, userIds) {
      if (userIds.length === 0) return [];
      return (await database.query<IssuedRow>(statement('find-issued', [couponId, userIds]))).map(toRow);
    },

    async counts(couponId) {
      const [row] = await database.query<CountsRow>(statement('count-issued', [couponId]));
      if (!row) return null;
      const { issued_quantity: issuedQuantity, returned_quantity: returnedQuantity, rows, returned } = row;
      return { issuedQuantity, returnedQuantity, rows, returned, maxFence: Number(row.max_fence) };
    },

    async latestRequestUs(couponId) {
      const [row] = await database.query<{ latest: string }>(statement('latest-request', [couponId]));
      return Number(row?.latest ?? 0);
    },

    async issuedSince(couponId, since) {
      const [row] = await database.query<{ issued: number }>(statement('issued-since', [couponId, since]));
      return row?.issued ?? 0;
    },

    async recentWorkers(since) {
      const rows = await database.query<{ worker: string; issued: number; last_at: Date }>(statement('recent-workers', [since]));
      return rows.map(({ worker, issued, last_at: lastAt }) => ({ worker, issued, lastAt }));
    },

    async use(couponId, userId, useId, keyStyle) {
      for (;;) {
        const [used] = await database.change<{ used_at: Date }>(statement('use-issued', [couponId, userId, useId, keyStyle]));
        if (used) return { status: 'used', usedAt: used.used_at, repeated: false };
        const refusal = await explainUse(database, couponId, userId, { useId, keyStyle });
        // Null: nothing speaks against it any more; it was issued between the two statements.
        if (refusal) return refusal;
      }
    },
  };
}

/** Tries of one batch that another transaction got in the way of. */
const ATTEMPTS = 4;
/** Statements that look for rows first, after one that met a row: more of them are likely, and each refusal stands in PostgreSQL's log. */
const CAREFUL = 100;

async function issueOnce(
  database: Database,
  couponId: string,
  claims: readonly Claim[],
  options: IssueOptions & { first: boolean },
): Promise<IssueResult> {
  const { epoch, worker, timeoutMs, first } = options;
  const users = claims.map((claim) => claim.userId);
  const times = claims.map((claim) => microsBySize(claim.score)).join(',');
  const fences = claims.map((claim) => claim.fence);
  const deliveries = claims.map((claim) => claim.deliveries).join(',');
  const values = [couponId, epoch, worker, users.join('\n'), times, fences.join(','), deliveries, Math.min(...fences)];
  const [answer] = await database.alone<IssueAnswer>(statement(first ? 'issue-first' : 'issue', values), timeoutMs);
  if (answer!.lives === 0) {
    const same = await database.alone(statement('is-same-life', [couponId, epoch]), timeoutMs);
    return { status: same.length === 0 ? 'epoch' : 'ended' };
  }
  if (options.issued) {
    options.issued();
    // Reading a thousand rows takes longer than sending the next statement.
    await endOfTurn();
  }
  const rows = answer!.issued === null ? linesToRows(couponId, answer!.rows) : rowsAsGiven(couponId, claims, worker, answer!);
  if (rows.length === claims.length) return { status: 'ok', rows };
  // After the insert, so that it also sees rows that another worker committed in between.
  const inserted = new Set(rows.map((row) => row.userId));
  const left = users.filter((userId) => !inserted.has(userId));
  const before = await database.alone<IssuedRow>(statement('find-issued', [couponId, left]), timeoutMs);
  return { status: 'ok', rows: [...rows, ...before.map(toRow)] };
}

async function explainUse(
  database: Database,
  couponId: string,
  userId: string,
  { useId, keyStyle }: { useId: string; keyStyle: string },
): Promise<UseResult | null> {
  const [row] = await database.query<{
    key_style: string;
    issued: boolean;
    used_at: Date | null;
    use_id: string | null;
    revoked_at: Date | null;
    expires_at: Date | null;
    expired: boolean | null;
  }>(statement('explain-use', [couponId, userId]));
  if (!row) return { status: 'not_issued' };
  if (row.key_style !== keyStyle) return { status: 'other_key_style', keyStyle: row.key_style };
  if (!row.issued) return { status: 'not_issued' };
  if (row.used_at) {
    return row.use_id === useId ? { status: 'used', usedAt: row.used_at, repeated: true } : { status: 'already_used', usedAt: row.used_at };
  }
  if (row.revoked_at) return { status: 'revoked', revokedAt: row.revoked_at };
  if (row.expired && row.expires_at) return { status: 'expired', expiresAt: row.expires_at };
  return null;
}

/** See `issue.sql`. */
interface IssueAnswer {
  lives: number;
  issued: number | null;
  expires: number | null;
  rows: string | null;
}

/** The rows of claims that were all inserted, and that nothing has changed on the way. */
function rowsAsGiven(couponId: string, claims: readonly Claim[], worker: string, { issued, expires }: IssueAnswer): LedgerRow[] {
  const issuedAt = new Date(issued!);
  const expiresAt = expires === null ? null : new Date(expires);
  return claims.map(({ userId, score, fence, deliveries }) => {
    const requestedUs = microsBySize(score);
    const requestedAt = new Date(Math.trunc(requestedUs / 1_000));
    return { couponId, userId, requestedAt, requestedUs, issuedAt, expiresAt, usedAt: null, revokedAt: null, worker, fence, deliveries };
  });
}

function linesToRows(couponId: string, lines: string | null): LedgerRow[] {
  return lines === null ? [] : lines.split('\n').map((line) => lineToRow(couponId, line));
}

function lineToRow(couponId: string, line: string): LedgerRow {
  const [userId, requestedUs, fence, deliveries, worker, requested, issued, expires, used, revoked] = line.split('\t') as [
    string,
    ...string[],
  ];
  const date = (ms: string | undefined): Date | null => (ms ? new Date(Number(ms)) : null);
  return {
    couponId,
    userId,
    requestedAt: date(requested)!,
    requestedUs: Number(requestedUs),
    issuedAt: date(issued)!,
    expiresAt: date(expires),
    usedAt: date(used),
    revokedAt: date(revoked),
    worker: worker!,
    fence: Number(fence),
    deliveries: Number(deliveries),
  };
}

function toRow(row: IssuedRow): LedgerRow {
  return {
    couponId: row.coupon_id,
    userId: row.user_id,
    requestedAt: row.requested_at,
    requestedUs: Number(row.requested_us),
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
    revokedAt: row.revoked_at,
    worker: row.worker,
    fence: Number(row.fence),
    deliveries: row.deliveries,
  };
}
