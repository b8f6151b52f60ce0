/**
 * The result of a bench run: what `bench --json` prints. Field names are an interface; `schemaVersion` rises when one changes.
 * `schema.ts` says the same in zod, and the compiler holds the two together.
 */
import type { Outcome, OutcomeCounts } from '../../campaign/outcome.ts';
import type { CheckName, CheckResult } from '../checks/integrity.ts';
import type { Flow } from './flow.ts';
import type { UnexplainedReply } from './unexplained.ts';
import type { Verdict } from './verdict.ts';
import type { Strategy } from '../../campaign/strategy.ts';
import type { ThresholdResult } from '../scenario/thresholds.ts';
import type { GeneratorReport, LatencySummary } from '../ports.ts';
import type { Disruption } from '../scenario/timeline.ts';
import type { TimePoint } from './timeseries.ts';

/** How a coupon stood in both stores at one moment of the run. Redis and the ledger are read one after the other. */
export interface StoreSample {
  /** Seconds since the load began. */
  second: number;
  couponId: string;
  stock: number | null;
  waiting: number;
  claimed: number;
  /** By the ledger's counter; null where it is not counted. */
  issued: number | null;
}

export interface BenchReport {
  schemaVersion: 1;
  scenario: {
    name: string;
    description: string;
    target: string;
    /** How the service decides, when bench started it itself (`--stack`); null when it is not known. */
    strategy: Strategy | null;
    users: number;
    requests: number;
    coupons: { couponId: string; total: number }[];
    /** Checks that the scenario lets go unmade. */
    skip: CheckName[];
    /** Coupons that one user may have, null for any number; left out: one. */
    perUser?: number | null;
  };
  startedAt: string;
  /** What became of the planned requests. Left out by versions that did not count them. */
  requests?: RequestCounts;
  outcomes: OutcomeCounts;
  /** Milliseconds from sending to the whole reply, for each outcome that occurred. */
  latency: Partial<Record<Outcome, LatencySummary>>;
  /** The same from when each request was due; empty when no phase was an open model, where both are the same. */
  latencyFromPlanned: Partial<Record<Outcome, LatencySummary>>;
  /**
   * Every latency of an outcome, microseconds: an HdrHistogram (V2, compressed, base64) with three significant digits. What
   * `bench compare` reads, and any other program that knows the format; sums of such histograms are exact.
   */
  histograms: Partial<Record<Outcome, string>>;
  throughput: Throughput;
  /** Length of the steps of `timeseries`. */
  stepSeconds: number;
  timeseries: TimePoint[];
  /** Stock and queue over time, counted. Left out where the record does not say who asked when, and by earlier versions. */
  flow?: Flow;
  /** The stores while the load and the drain ran, a few times a second: between two samples anything may have happened. */
  samples: StoreSample[];
  /** What the timeline of the scenario did to the service. Left out: nothing. */
  disruptions?: DisruptionEvent[];
  thresholds: ThresholdResult[];
  integrity: CheckResult[];
  coupons: CouponOutcome[];
  generator: GeneratorReport;
  /** What a reader should know before he trusts the figures. */
  notes: Note[];
  /** The most frequent replies that decided nothing; left out when there were none. */
  unexplained?: UnexplainedReply[];
  /** Left out: the scenario has one round. */
  rounds?: Rounds;
  /** On what and how it was run, by name: program, machine, stores, command. Left out by those who do not know. */
  environment?: Record<string, string>;
  verdict: Verdict;
  exitCode: number;
}

/** `planned = sent + dropped + left`, and `sent = answered + unanswered`. */
export interface RequestCounts {
  /** Wanted by the phases; a phase that makes as many as come of its time wanted those that it made. */
  planned: number;
  sent: number;
  /** Sent, and a whole reply came. */
  answered: number;
  /** Sent, and no usable reply came: `unknown` among the outcomes. */
  unanswered: number;
  /** Came due in an open model, and found no connection in time. */
  dropped: number;
  /** Not sent because the load ended before their turn: by a signal, a lost target, a threshold, or the time of the phase. */
  left: number;
}

/** What a game day did to the service, and when. */
export interface DisruptionEvent {
  action: Disruption;
  /** Seconds since the load began. */
  second: number;
  /** How long it took until the process was started again, or answered again where that can be asked; null: it failed. */
  tookSeconds: number | null;
  /** Why it failed; left out when it did not. */
  why?: string;
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
   * From the first request until no user waited any more; null when that did not happen in time. By the times of issue where the list
   * has them, else looked at from the end of the load on, and then never less than the load itself.
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

export const NOTES = [
  'INTERRUPTED',
  'TARGET_LOST',
  'NOT_SETTLED',
  'REDIS_UNREADABLE',
  'LEDGER_UNREADABLE',
  'COUPON_NOT_FRESH',
  'ABORTED_BY_THRESHOLD',
  'ARRIVALS_DROPPED',
  'USERS_RAN_OUT',
  'GENERATOR_LIMITED',
  'CONNECTIONS_CLOSED',
  'HASHES_NOT_SCANNED',
  'DISRUPTED',
  'DISRUPTION_FAILED',
  'ISSUED_KEYS_NOT_SCANNED',
  'CERTIFICATE_UNCHECKED',
  'GENERATOR_OUT_OF_CONNECTIONS',
  'QUEUE_NEVER_SHRINKS',
] as const;

/** Several rounds of one scenario: this report is that of the first round that was not proven, or else of the last. */
export interface Rounds {
  planned: number;
  /** Rounds that were run, and which of them this report is about, from 1 on. */
  run: number;
  shown: number;
}

export interface Note {
  code: (typeof NOTES)[number];
  facts?: Record<string, number | string>;
}
