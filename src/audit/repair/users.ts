import { scoreToMicros, type Expiry } from '../../campaign/coupon.ts';
import type { FindingCode } from '../findings.ts';
import { readForeignDate } from '../../campaign/foreign-time.ts';
import type { RepairStep } from './plan.ts';
import type { JudgedUser } from '../reads.ts';
import type { Confirmed } from '../suspects.ts';
import type { LedgerCoupon, LedgerRow, RedisUser } from '../../campaign/ports.ts';
import type { ProvenRow, RepairPorts } from './ports.ts';

/** Hears how many users a step has mended. */
export type Mended = (step: RepairStep, count: number) => void;

type Coupon = Pick<LedgerCoupon, 'id' | 'epoch' | 'expiry'>;

/**
 * Mends users in chunks, as the audit confirms their findings. Every script looks again before it writes, so that a user who has moved
 * on meanwhile is left alone; and every part may be done twice.
 */
export function mending(ports: RepairPorts, coupon: Coupon, mended: Mended): Confirmed {
  return async (users) => {
    const proven = await restoreRows(ports, coupon, users, mended);
    await rebuildAdmissions(ports, coupon, users, mended);
    await rebuildHashes(ports, coupon, users, mended);
    // Whoever got the row back is issued, not lost.
    const lost = withFinding(users, 'lost', 'claim_without_lease', 'lease_without_claim', 'lease_absurd').filter(
      ({ user }) => !proven.has(user.userId),
    );
    const requeued = await ports.redis.requeue(
      coupon.id,
      coupon.epoch,
      lost.map(({ user }) => user.userId),
    );
    mended('requeue', requeued);
  };
}

function withFinding(users: readonly JudgedUser[], ...codes: FindingCode[]): JudgedUser[] {
  return users.filter(({ verdict }) => verdict.findings.some((found) => codes.includes(found.code)));
}

/**
 * An issued hash is written after the ledger has committed, so the hash of an admitted user without a row tells of a ledger that lost
 * it. Nobody is taken a coupon, a use included; and no row is written for whom nobody accepted.
 */
async function restoreRows(
  ports: RepairPorts,
  { id, epoch, expiry }: Coupon,
  users: readonly JudgedUser[],
  mended: Mended,
): Promise<Set<string>> {
  const rows = withFinding(users, 'hash_only').flatMap(({ user }) => provenRow(user, expiry) ?? []);
  if (rows.length === 0 || (await ports.repairs.restoreRows(id, epoch, rows)) !== 'ok') return new Set();
  // Those that are there now, whoever wrote them: their hashes, queue and claims follow as after any commit.
  const written = await ports.ledger.rows(
    id,
    rows.map((row) => row.userId),
  );
  await ports.claims.ack(id, epoch, written);
  mended('restore_row', written.length);
  return new Set(written.map((row) => row.userId));
}

/** Text that is no time is no use, and no way to never expire: then the coupon's own expiry holds. */
function provenRow({ userId, admitted, issued, claim }: RedisUser, expiry: Expiry): ProvenRow | null {
  const requestedUs = admitted ? scoreToMicros(admitted.score) : null;
  if (requestedUs === null || !issued) return null;
  const issuedAt = timeOf(issued['issued_at']) ?? new Date(Math.floor(requestedUs / 1_000));
  const expiresAt = readForeignDate(issued['ex_date']);
  return {
    userId,
    requestedUs,
    issuedAt,
    expiresAt: expiresAt === 'unreadable' ? expiryOf(expiry, issuedAt) : expiresAt,
    usedAt: timeOf(issued['used_at']),
    fence: claim?.fence ?? 0,
    deliveries: claim?.deliveries ?? 0,
  };
}

async function rebuildAdmissions(ports: RepairPorts, { id, epoch }: Coupon, users: readonly JudgedUser[], mended: Mended): Promise<void> {
  const unclear = withFinding(users, 'row_without_admission', 'place_without_admission', 'request_time_mismatch');
  const adopted = unclear.map(({ user, row }) => ({ userId: user.userId, requestedUs: row?.requestedUs ?? null }));
  await ports.redis.adopt(id, epoch, adopted);
  mended('rebuild_admission', adopted.length);
  // A claim of somebody who was not even admitted has nobody left to serve it.
  await ports.redis.requeue(
    id,
    epoch,
    withFinding(unclear, 'place_without_admission').map(({ user }) => user.userId),
  );
}

async function rebuildHashes(ports: RepairPorts, { id, epoch }: Coupon, users: readonly JudgedUser[], mended: Mended): Promise<void> {
  const missing = withFinding(users, 'hash_missing', 'dead_but_issued', 'row_without_admission').flatMap(({ row }) => row ?? []);
  if (missing.length > 0) await ports.claims.ack(id, epoch, missing);
  const different = withFinding(users, 'hash_mismatch', 'hash_unreadable_time').filter(({ row }) => row !== null);
  const uses = different.flatMap(({ user, row }) => {
    const usedAt = row!.usedAt ? null : timeOf(user.issued?.['used_at']);
    return usedAt ? [{ userId: user.userId, usedAt }] : [];
  });
  if (uses.length > 0) await ports.repairs.recordUses(id, uses);
  if (different.length > 0) {
    const seen = new Map(different.map(({ user }) => [user.userId, user.issued?.['used_at'] ?? '']));
    const rows: LedgerRow[] = await ports.ledger.rows(id, [...seen.keys()]);
    await ports.redis.rehash(
      id,
      epoch,
      rows.map((row) => ({ row, seenUsedAt: seen.get(row.userId) ?? '' })),
    );
  }
  mended('rebuild_hash', missing.length + different.length);
}

/** A time as other services may write it; null for none, or for what is no time. */
function timeOf(text: string | undefined): Date | null {
  const date = readForeignDate(text);
  return date === 'unreadable' ? null : date;
}

function expiryOf(expiry: Expiry, issuedAt: Date): Date | null {
  if (expiry.kind === 'after') return new Date(issuedAt.getTime() + expiry.ms);
  return expiry.kind === 'at' ? expiry.at : null;
}
