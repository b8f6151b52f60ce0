import { scoreToMicros, type Expiry } from '../../campaign/coupon.ts';
import { happened, readForeignDate } from '../../campaign/foreign-time.ts';
import { mendUser, type Mend } from './mend.ts';
import type { RepairStep } from './plan.ts';
import type { JudgedUser } from '../reads.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import type { RedisUser } from '../../campaign/ports/redis-reader.ts';
import type { RepairPorts } from './ports.ts';
import type { ProvenRow } from '../../campaign/ports/ledger.ts';

/** Hears how many users a step has mended. */
export type Mended = (step: RepairStep, count: number) => void;

type Coupon = Pick<LedgerCoupon, 'id' | 'epoch' | 'expiry'>;
type ToMend = JudgedUser & { mend: Mend };

/**
 * Mends a chunk of users. Every script looks again before it writes, so that a user who has moved on meanwhile is left alone; and every
 * part may be done twice.
 *
 * @param roomForRows see {@link mendUser}
 */
export async function mendUsers(
  ports: RepairPorts,
  coupon: Coupon,
  users: readonly JudgedUser[],
  roomForRows: boolean,
  mended: Mended,
): Promise<void> {
  const all = users.flatMap((one): ToMend[] => {
    const mend = mendUser(one, roomForRows);
    return mend ? [{ ...one, mend }] : [];
  });
  const restored = await restoreRows(ports, coupon, all);
  await adopt(ports, coupon, all);
  await rewriteHashes(ports, coupon, all);
  const requeued = all.filter(({ mend }) => mend.requeue).map(({ user }) => user.userId);
  await ports.redis.requeue(coupon.id, coupon.epoch, requeued);
  for (const { mend } of all) if (!mend.restoreRow || restored) mended(mend.step, 1);
}

/** @returns false: the ledger refused them all, because the coupon was reset or the total would be passed */
async function restoreRows(ports: RepairPorts, { id, epoch, expiry }: Coupon, users: readonly ToMend[]): Promise<boolean> {
  const rows = users.filter(({ mend }) => mend.restoreRow).flatMap(({ user }) => provenRow(user, expiry) ?? []);
  if (rows.length === 0) return true;
  if ((await ports.repairs.restoreRows(id, epoch, rows)) !== 'ok') return false;
  // All rows that are there now, also those that a worker wrote meanwhile: their hashes, queue and claims follow as after any commit.
  const written = await ports.ledger.rows(
    id,
    rows.map((row) => row.userId),
  );
  await ports.claims.ack(id, epoch, written);
  // An ack keeps a use as it is written; the row has it in our form.
  const seen = new Map(users.map(({ user }) => [user.userId, user.issued?.['used_at'] ?? '']));
  await ports.redis.rehash(
    id,
    epoch,
    written.map((row) => ({ row, seenUsedAt: seen.get(row.userId) ?? '' })),
  );
  return true;
}

async function adopt(ports: RepairPorts, { id, epoch }: Coupon, users: readonly ToMend[]): Promise<void> {
  const adopted = users
    .filter(({ mend }) => mend.adopt)
    .map(({ user, row }) => ({ userId: user.userId, requestedUs: row?.requestedUs ?? null }));
  await ports.redis.adopt(id, epoch, adopted);
}

async function rewriteHashes(ports: RepairPorts, { id, epoch }: Coupon, users: readonly ToMend[]): Promise<void> {
  const unacknowledged = users.filter(({ mend }) => mend.ack).flatMap(({ row }) => row ?? []);
  if (unacknowledged.length > 0) await ports.claims.ack(id, epoch, unacknowledged);
  const different = users.filter(({ mend }) => mend.rehash);
  if (different.length === 0) return;
  const uses = different.flatMap(({ user, row }) => {
    const usedAt = row!.usedAt ? null : pastOf(user.issued?.['used_at']);
    return usedAt ? [{ userId: user.userId, usedAt }] : [];
  });
  if (uses.length > 0) await ports.repairs.recordUses(id, uses);
  const revocations = different.flatMap(({ user, row }) => {
    const revokedAt = row!.revokedAt ? null : pastOf(user.issued?.['revoked_at']);
    return revokedAt ? [{ userId: user.userId, revokedAt }] : [];
  });
  if (revocations.length > 0) await ports.repairs.recordRevocations(id, revocations);
  const seen = new Map(different.map(({ user }) => [user.userId, user.issued?.['used_at'] ?? '']));
  const rows = await ports.ledger.rows(id, [...seen.keys()]);
  const withSeen = rows.map((row) => ({ row, seenUsedAt: seen.get(row.userId) ?? '' }));
  await ports.redis.rehash(id, epoch, withSeen);
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
    usedAt: pastOf(issued['used_at']),
    revokedAt: pastOf(issued['revoked_at']),
    fence: claim?.fence ?? 0,
    deliveries: claim?.deliveries ?? 0,
  };
}

/** A time as other services may write it; null for none, or for what is no time. */
function timeOf(text: string | undefined): Date | null {
  const date = readForeignDate(text);
  return date === 'unreadable' ? null : date;
}

/** The same of what has happened. */
function pastOf(text: string | undefined): Date | null {
  return happened(timeOf(text), Date.now());
}

function expiryOf(expiry: Expiry, issuedAt: Date): Date | null {
  if (expiry.kind === 'after') return new Date(issuedAt.getTime() + expiry.ms);
  return expiry.kind === 'at' ? expiry.at : null;
}
