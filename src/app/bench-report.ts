/** The result of a bench run: what `bench --json` prints. Field names are an interface; `schemaVersion` rises when one changes. */
import { OUTCOMES } from '../core/outcome.ts';
import type { Outcome, OutcomeCounts } from '../core/outcome.ts';
import type { CheckName, CheckResult, RequestRecord } from '../core/integrity.ts';
import type { ThresholdResult } from '../core/thresholds.ts';
import type { GeneratorReport, LatencySummary } from './bench-ports.ts';

export interface BenchReport {
  schemaVersion: 1;
  scenario: {
    name: string;
    description: string;
    target: string;
    users: number;
    requests: number;
    coupons: { couponId: string; total: number }[];
  };
  startedAt: string;
  outcomes: OutcomeCounts;
  /** Milliseconds from sending to the whole reply, for each outcome that occurred. */
  latency: Partial<Record<Outcome, LatencySummary>>;
  throughput: Throughput;
  timeseries: TimePoint[];
  thresholds: ThresholdResult[];
  integrity: CheckResult[];
  coupons: CouponOutcome[];
  generator: GeneratorReport;
  /** What a reader should know before he trusts the figures. */
  notes: Note[];
  verdict: { integrity: 'pass' | 'fail' | 'inconclusive'; thresholds: 'pass' | 'fail' };
  exitCode: number;
}

/** Three rates that are often taken for each other: how fast the service answers, accepts, and issues. */
export interface Throughput {
  /** From the first request sent to the last reply. */
  seconds: number;
  requestsPerSecond: number;
  /** Accepted users from the first to the last acceptance; null when fewer than two were. */
  acceptsPerSecond: number | null;
  /** Ledger rows from the first to the last, by the ledger's clock; null when it all was one moment. */
  issuesPerSecond: number | null;
  /**
   * From the first request until nobody waited any more; null when that did not happen in time. Looked at from the end of the
   * load on, so never less than the load itself.
   */
  timeUntilDrainedMs: number | null;
}

export interface CouponOutcome {
  couponId: string;
  total: number;
  /** Users. */
  accepted: number;
  /** Null when the store could not be read. */
  issued: number | null;
  revoked: number | null;
  stock: number | null;
  waiting: number | null;
  claimed: number | null;
  dead: number | null;
}

/** One second of the run. */
export interface TimePoint {
  second: number;
  sent: number;
  /** Replies that arrived in this second; outcomes that did not occur are left out. */
  outcomes: Partial<Record<Outcome, number>>;
}

export const NOTES = [
  'INTERRUPTED',
  'TARGET_LOST',
  'NOT_SETTLED',
  'REDIS_UNREADABLE',
  'LEDGER_UNREADABLE',
  'COUPON_NOT_FRESH',
  'GENERATOR_LIMITED',
  'CONNECTIONS_CLOSED',
  'HASHES_NOT_SCANNED',
] as const;

export interface Note {
  code: (typeof NOTES)[number];
  facts?: Record<string, number | string>;
}

/** Most series points that a report carries; longer runs get coarser ones. */
const MAX_POINTS = 600;

export function timeseries(record: RequestRecord): TimePoint[] {
  let last = 0;
  for (let row = 0; row < record.length; row += 1) {
    for (const us of [record.sentUs[row]!, record.doneUs[row]!]) if (us > last) last = us;
  }
  const stepUs = Math.max(1, Math.ceil(last / 1e6 / MAX_POINTS)) * 1e6;
  const points: TimePoint[] = Array.from({ length: Math.floor(last / stepUs) + 1 }, (_, index) => ({
    second: (index * stepUs) / 1e6,
    sent: 0,
    outcomes: {},
  }));
  for (let row = 0; row < record.length; row += 1) {
    const sent = points[Math.floor(record.sentUs[row]! / stepUs)];
    if (sent) sent.sent += 1;
    const done = points[Math.floor(record.doneUs[row]! / stepUs)];
    if (!done) continue;
    const outcome = OUTCOMES[record.outcome[row]!]!;
    done.outcomes[outcome] = (done.outcomes[outcome] ?? 0) + 1;
  }
  return points;
}

export interface VerdictInput {
  integrity: readonly CheckResult[];
  skip: readonly CheckName[];
  thresholds: readonly ThresholdResult[];
  targetLost: boolean;
  /** Exit code of the signal that cut the run short, or null. */
  interrupted: 130 | 143 | null;
}

/** Exit codes by precedence: signal, broken integrity, inconclusive, target gone, threshold. */
export function verdictOf(input: VerdictInput): Pick<BenchReport, 'verdict' | 'exitCode'> {
  const { integrity, skip, thresholds, targetLost, interrupted } = input;
  const failed = integrity.some((result) => result.status === 'fail');
  const open = integrity.some((result) => result.status === 'not_checked' && !skip.includes(result.check));
  const verdict = {
    integrity: failed ? ('fail' as const) : open ? ('inconclusive' as const) : ('pass' as const),
    thresholds: thresholds.every((threshold) => threshold.ok) ? ('pass' as const) : ('fail' as const),
  };
  const exitCode = interrupted ?? (failed ? 4 : open ? 5 : targetLost ? 3 : verdict.thresholds === 'fail' ? 99 : 0);
  return { verdict, exitCode };
}
