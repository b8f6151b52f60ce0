/**
 * The judgement of one user from everything that both stores know about that user. Pure; `audit/audit.ts` reads and walks.
 *
 * The judgement is sound for a live campaign if Redis was read before the ledger: users only move from Redis into the ledger,
 * so a user who is in no place of Redis when it is read must already have a row.
 */
import { printable } from '../../lib/text/visible.ts';
import { placeOf, type Place } from '../../campaign/place.ts';
import { isoTime, scoreToMicros } from '../../campaign/coupon.ts';
import { finding, type Facts, type Finding } from '../findings.ts';
import { readForeignTime } from '../../campaign/foreign-time.ts';
import type { WrongType } from '../../campaign/wrong-type.ts';

/** What Redis knows about a user of one coupon; null: nothing of that kind. Scores as they stand, deadlines in ms. */
export interface UserView {
  admitted: { score: number; requestId: string } | null;
  waiting: number | null;
  leaseDeadlineMs: number | null;
  claim: { score: number; leaseMs: number } | null;
  dead: string | null;
  /** Fields of the issued hash. */
  issued: Readonly<Record<string, string>> | null;
  /** The key of the issued hash holds another type. */
  occupied?: WrongType | null;
}

/** The user's ledger row. */
export interface RowView {
  userId: string;
  couponId: string;
  requestedUs: number;
  requestedAt: Date;
  issuedAt: Date;
  expiresAt: Date | null;
  usedAt: Date | null;
  revokedAt: Date | null;
}

export interface UserVerdict {
  /** The first of issued, dead, claimed, waiting; `admitted`: accepted and in none of them; null: never accepted. */
  place: Place | null;
  /** In the ledger, and not acknowledged yet. */
  inFlight: boolean;
  /** Waiting because another service put this user into the queue; the next claim adopts such users. */
  adoptable: boolean;
  findings: Finding[];
}

/** @param nowMs Redis TIME, taken after the user was read */
export function judgeUser(user: UserView, row: RowView | null, nowMs: number): UserVerdict {
  const waiting = user.waiting !== null;
  const leased = user.leaseDeadlineMs !== null;
  return {
    place: placeOf(user, row !== null),
    inFlight: row !== null && (waiting || leased),
    adoptable: user.admitted === null && waiting && row === null,
    findings: [
      ...admissionFindings(user, row),
      ...leaseFindings(user, nowMs),
      ...ledgerFindings(user, row, nowMs),
      ...timeFindings(user, row),
    ],
  };
}

/** admitted = waiting ⊎ claimed ⊎ dead ⊎ ledger, looked at from both sides. */
function admissionFindings(user: UserView, row: RowView | null): Finding[] {
  const { admitted, waiting, leaseDeadlineMs, claim, dead } = user;
  if (admitted) {
    // A claim record without its lease is the trace of how a user was lost, and says so by a code of its own.
    return placeOf(user, row !== null) === 'admitted' && !claim ? [finding('lost')] : [];
  }
  // A queue member of another service may be adopted and issued between the reads of the two stores.
  if (row) return waiting === null ? [finding('row_without_admission')] : [];
  // While a user waits, the record of an earlier claim is no place.
  const held = leaseDeadlineMs !== null || dead !== null || (claim !== null && waiting === null);
  return held ? [finding('place_without_admission')] : [];
}

function leaseFindings({ leaseDeadlineMs, claim, waiting, dead }: UserView, nowMs: number): Finding[] {
  if (leaseDeadlineMs === null) {
    return claim && waiting === null && dead === null ? [finding('claim_without_lease')] : [];
  }
  if (!claim) return [finding('lease_without_claim')];
  // The rule by which `claim.lua` takes such leases back.
  return leaseDeadlineMs > nowMs + 2 * claim.leaseMs ? [finding('lease_absurd')] : [];
}

function ledgerFindings(user: UserView, row: RowView | null, nowMs: number): Finding[] {
  const occupied = user.occupied && (row || user.admitted) ? [finding('hash_wrong_type', { ...user.occupied })] : [];
  if (!row) return user.issued ? [finding('hash_only'), ...unreadableTimes(user.issued)] : occupied;
  if (user.dead !== null) return [finding('dead_but_issued'), ...occupied];
  if (occupied.length > 0) return occupied;
  if (!user.issued) {
    // Until the ack the hash may be missing. A row without an admission is one finding, not two.
    const acknowledged = user.admitted !== null && user.waiting === null && user.leaseDeadlineMs === null;
    // Services let a hash go with its coupon, and nobody needs it then.
    const expired = row.expiresAt !== null && row.expiresAt.getTime() <= nowMs;
    return acknowledged && !expired ? [finding('hash_missing')] : [];
  }
  const unreadable = unreadableFields(user.issued);
  const fields = differingFields(user.issued, row).filter((field) => !unreadable.includes(field));
  const mismatch = fields.length > 0 ? [finding('hash_mismatch', { fields: fields.join(', ') })] : [];
  return [...mismatch, ...unreadableTimes(user.issued)];
}

const TIME_FIELDS = ['ex_date', 'used_at', 'requested_at', 'issued_at', 'revoked_at'] as const;

/** Times of an issued hash that are a text which is no time. */
function unreadableFields(hash: Readonly<Record<string, string>>): string[] {
  return TIME_FIELDS.filter((field) => readForeignTime(hash[field]).kind === 'unreadable');
}

function unreadableTimes(hash: Readonly<Record<string, string>>): Finding[] {
  const fields = unreadableFields(hash);
  const facts: Facts = Object.fromEntries(fields.map((field) => [field, printable(hash[field]!, 40)]));
  return fields.length > 0 ? [finding('hash_unreadable_time', facts)] : [];
}

/** Fields of the issued hash that are not what `ack.lua` would write from this row. Fields of other services are theirs. */
function differingFields(hash: Readonly<Record<string, string>>, row: RowView): string[] {
  const expected = {
    userId: row.userId,
    couponId: row.couponId,
    ex_date: isoTime(row.expiresAt),
    used_at: isoTime(row.usedAt),
    requested_at: isoTime(row.requestedAt),
    issued_at: isoTime(row.issuedAt),
    revoked_at: isoTime(row.revokedAt),
  };
  return Object.entries(expected)
    .filter(([field, value]) => (hash[field] ?? (field === 'revoked_at' ? '' : null)) !== value)
    .map(([field]) => field);
}

function timeFindings({ admitted, waiting, claim }: UserView, row: RowView | null): Finding[] {
  if (!admitted) return [];
  // Another service may write the same time in another unit; two scores that are no time agree only when they are equal.
  const time = (score: number): number => scoreToMicros(score) ?? score;
  const accepted = time(admitted.score);
  const inQueue = waiting === null || time(waiting) === accepted;
  const inClaim = claim === null || time(claim.score) === accepted;
  const inLedger = row === null || row.requestedUs === accepted;
  return inQueue && inClaim && inLedger ? [] : [finding('request_time_mismatch')];
}
