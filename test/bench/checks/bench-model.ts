/**
 * A flash sale on paper: users ask at some time, a correct service decides in between, and both stores end up as they should.
 * Tests take such a run and plant one fault in it.
 */
import { checkIntegrity } from '../../../src/bench/checks/checker.ts';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import type {
  CheckName,
  CheckResult,
  CouponEvidence,
  LedgerEvidence,
  RedisEvidence,
  RequestRecord,
} from '../../../src/bench/checks/integrity.ts';
import type { Outcome } from '../../../src/campaign/outcome.ts';
import { UserDirectory } from '../../../src/bench/plan/user-plan.ts';

export interface Ask {
  user: number;
  sentUs: number;
  /** When the service decides, between sending and reply. */
  decidedUs: number;
  /** When the reply arrives; null: it is lost. */
  doneUs: number | null;
  requestId?: number;
}

export interface Row {
  user: number;
  requestedUs: number;
  turn: number;
  revoked?: boolean;
}

/** Everything that a checker sees, still easy to change. */
export interface Run {
  users: UserDirectory;
  total: number;
  requests: { user: number; sentUs: number; doneUs: number; outcome: Outcome; requestId: number }[];
  rows: Row[];
  hashes: number[];
  waiting: number[];
  claimed: number[];
  dead: number[];
  stock: number;
  returned: number;
  spent: number;
  settled: boolean;
  before: number[];
  issuedQuantity: number;
  withLedger: boolean;
  withRedis: boolean;
}

const LEDGER_EPOCH_US = 1_790_000_000_000_000;

/** What a correct service makes of these requests: in order of decision, each user once, until the stock is gone. */
export function correctRun(total: number, users: number, asks: readonly Ask[], batch = 10): Run {
  const admitted = new Map<number, { requestedUs: number; requestId: number }>();
  const requests: Run['requests'] = [];
  let last = 0;
  for (const [index, ask] of [...asks].toSorted((a, b) => a.decidedUs - b.decidedUs).entries()) {
    const requestId = ask.requestId ?? index;
    const known = admitted.get(ask.user);
    let outcome: Outcome = known ? (known.requestId === requestId ? 'accepted' : 'duplicate') : 'sold_out';
    if (!known && admitted.size < total) {
      // Strictly rising, as admission does it.
      last = Math.max(LEDGER_EPOCH_US + ask.decidedUs, last + 1);
      admitted.set(ask.user, { requestedUs: last, requestId });
      outcome = 'accepted';
    }
    if (ask.doneUs === null) outcome = 'unknown';
    requests.push({ user: ask.user, sentUs: ask.sentUs, doneUs: ask.doneUs ?? Number.NaN, outcome, requestId });
  }
  const rows = [...admitted].map(([user, { requestedUs }], index) => ({ user, requestedUs, turn: Math.floor(index / batch) + 1 }));
  return {
    users: new UserDirectory({ count: users, prefix: 'user-', start: 0 }),
    total,
    requests,
    rows,
    hashes: rows.map((row) => row.user),
    waiting: [],
    claimed: [],
    dead: [],
    stock: total - rows.length,
    returned: 0,
    spent: rows.length,
    settled: true,
    before: [],
    issuedQuantity: rows.length,
    withLedger: true,
    withRedis: true,
  };
}

/** `count` users who ask one after another, a few always at the same time. */
export function rush(count: number, { gapUs = 100, decideUs = 150, replyUs = 300 } = {}): Ask[] {
  return Array.from({ length: count }, (_, user) => {
    const sentUs = user * gapUs;
    return { user, sentUs, decidedUs: sentUs + decideUs, doneUs: sentUs + replyUs };
  });
}

export function recordOf(run: Run): RequestRecord {
  const { requests } = run;
  return {
    length: requests.length,
    user: Uint32Array.from(requests, (one) => one.user),
    coupon: new Uint16Array(requests.length),
    requestId: Uint32Array.from(requests, (one) => one.requestId),
    intendedUs: Float64Array.from(requests, (one) => one.sentUs),
    sentUs: Float64Array.from(requests, (one) => one.sentUs),
    doneUs: Float64Array.from(requests, (one) => one.doneUs),
    outcome: Uint8Array.from(requests, (one) => outcomeCode(one.outcome)),
    status: new Uint16Array(requests.length),
  };
}

export function evidenceOf(run: Run): CouponEvidence {
  const ledger: LedgerEvidence = {
    user: Uint32Array.from(run.rows, (row) => row.user),
    requestedUs: Float64Array.from(run.rows, (row) => row.requestedUs),
    requestedStepUs: 1,
    turn: Float64Array.from(run.rows, (row) => row.turn),
    revoked: Uint8Array.from(run.rows, (row) => (row.revoked ? 1 : 0)),
    issuedQuantity: run.issuedQuantity,
  };
  const redis: RedisEvidence = {
    issued: Uint32Array.from(run.hashes),
    waiting: Uint32Array.from(run.waiting),
    claimed: Uint32Array.from(run.claimed),
    dead: Uint32Array.from(run.dead),
    total: run.total,
    stock: run.stock,
    returned: run.returned,
    spent: run.spent,
  };
  return {
    couponId: 'c',
    total: run.total,
    ledger: run.withLedger ? ledger : null,
    redis: run.withRedis ? redis : null,
    settled: run.settled,
    before: Uint32Array.from(run.before),
  };
}

export function check(run: Run): Record<CheckName, CheckResult> {
  const results = checkIntegrity(recordOf(run), [evidenceOf(run)], run.users);
  return Object.fromEntries(results.map((result) => [result.check, result])) as Record<CheckName, CheckResult>;
}

/** Checks that found something or could not look, as `name: status REASON`; whether they could have failed is another question. */
export function remarks(run: Run): string[] {
  return Object.values(check(run))
    .filter((result) => result.status !== 'pass' && result.status !== 'not_exercised')
    .map((result) => `${result.check}: ${result.status} ${result.reason}`);
}
