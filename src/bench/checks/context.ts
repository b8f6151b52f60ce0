import type { CheckName, CheckResult, Consulted, CouponEvidence, Reason, UserNames } from './integrity.ts';
import { occurrences, Tally } from './digest.ts';
import type { Digest } from './digest.ts';

/** What a check looks at: the requests by user, the evidence, and where each user turned up in it. */
export interface CheckContext {
  readonly digest: Digest;
  readonly evidence: CouponEvidence;
  readonly users: UserNames;
  /** Ledger rows of each user; null without a ledger. */
  readonly rows: Uint8Array | null;
  /** Issued hashes of each user; null without Redis. */
  readonly hashes: Uint8Array | null;
  /** 1 for users whose coupon was revoked. */
  readonly revoked: Uint8Array;
  /** 1 for users who were dead-lettered. */
  readonly dead: Uint8Array;
  /** 1 for users who wait or are claimed. */
  readonly pending: Uint8Array;
  readonly consulted: Consulted;
  /** What a check of the issued coupons cannot see; null: it sees all. */
  readonly blind: readonly Finding[];
}

const ALL: Consulted = { ledger: true, hashes: true, stock: true };

export function checkContext(digest: Digest, evidence: CouponEvidence, users: UserNames): CheckContext {
  const { ledger, redis, consulted = ALL } = evidence;
  const revoked = new Uint8Array(users.size);
  if (ledger) for (let row = 0; row < ledger.user.length; row += 1) if (ledger.revoked[row]) revoked[ledger.user[row]!] = 1;
  const pending = new Uint8Array(users.size);
  if (redis) for (const list of [redis.waiting, redis.claimed]) for (const user of list) pending[user] = 1;
  return {
    digest,
    evidence,
    users,
    rows: ledger && occurrences(ledger.user, users.size),
    hashes: consulted.hashes && redis ? occurrences(redis.issued, users.size) : null,
    revoked,
    dead: occurrences(redis?.dead ?? new Uint32Array(), users.size),
    pending,
    consulted,
    blind: blindOf(evidence, consulted),
  };
}

function blindOf({ ledger, redis }: CouponEvidence, consulted: Consulted): Finding[] {
  if (!consulted.ledger && !consulted.hashes) return [notChecked('REPLIES_ONLY')];
  const gaps: (Finding | false)[] = [
    consulted.ledger && !ledger && notChecked('NO_LEDGER_EVIDENCE'),
    consulted.hashes && !redis && notChecked('NO_REDIS_EVIDENCE'),
  ];
  return gaps.filter((gap) => gap !== false);
}

/** Something to say about a check; `status` is what it makes of it. */
export interface Finding {
  status: CheckResult['status'];
  reason: Reason;
  count: number;
  sample: string[];
  facts?: Record<string, number>;
}

export function fail(reason: Reason, tally: Tally, facts: Record<string, number> = {}): Finding {
  return { status: 'fail', reason, count: tally.count, sample: tally.sample, facts };
}

export function notChecked(reason: Reason, tally?: Tally): Finding {
  return { status: 'not_checked', reason, count: tally?.count ?? 0, sample: tally?.sample ?? [] };
}

/** The worst finding decides: a failure first, then what could not be checked, then what is only named. */
export function verdict(check: CheckName, couponId: string, findings: (Finding | false | null)[]): CheckResult {
  const said = findings.filter((finding) => finding !== false && finding !== null);
  const worst = said.find((finding) => finding.status === 'fail') ?? said.find((finding) => finding.status === 'not_checked') ?? said[0];
  if (!worst) return { check, couponId, status: 'pass', reason: null, count: 0, sample: [], facts: {} };
  return {
    check,
    couponId,
    status: worst.status,
    reason: worst.reason,
    count: worst.count,
    sample: worst.sample,
    facts: worst.facts ?? {},
  };
}
