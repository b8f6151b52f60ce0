/** What a bench run needs from the world beside the stores; `load/` implements these. */
import type { LedgerReader } from '../campaign/ports/ledger.ts';
import type { RequestRecord } from './checks/integrity.ts';
import type { Outcome, OutcomeCounts } from '../campaign/outcome.ts';
import type { Phase } from './plan/phase.ts';
import type { FollowUps } from './scenario/follow-ups.ts';
import type { OutcomeRule, RequestTemplate } from './scenario/scenario.ts';
import type { CaptureRule } from './scenario/steps.ts';
import type { ProbePlan } from './scenario/verify.ts';
import type { Aggregation, Threshold } from './scenario/thresholds.ts';
import type { UnexplainedReply } from './report/unexplained.ts';
import type { RequestPlan, UserDirectory } from './plan/user-plan.ts';
import type { RedisReader } from '../campaign/ports/redis-reader.ts';

/** Whose certificate a load on https takes. */
export interface TlsTrust {
  /** Certificates of authorities (PEM) instead of those that Node knows; null: those. */
  ca: string | null;
  /** Any certificate will do. */
  insecure: boolean;
}

export interface LoadPlan {
  /** Address without a trailing slash; the path of the request template follows. */
  target: string;
  /** Left out: certificates are checked against the authorities that Node knows. */
  tls?: TlsTrust;
  request: RequestTemplate;
  /** Left out: every reply decides. */
  followUps?: FollowUps;
  /** Variables that are the same for all requests: what the set-up captured. */
  shared?: Record<string, string>;
  outcomes: readonly OutcomeRule[];
  /** Where an accepted reply names the coupon that it issued; without that name it is no acceptance. Left out: replies name none. */
  issueId?: CaptureRule;
  couponIds: readonly string[];
  phases: readonly Phase[];
  /** In order of sending; phases take their iterations from the front. */
  requests: RequestPlan;
  users: UserDirectory;
  gracefulStopMs: number;
  /** Those with `abortAfterMs` end the load when they are missed, from that time on. */
  abortOn?: readonly Threshold[];
}

export interface LoadProgress {
  phase: string;
  /** Requests of all phases; null: as many as come of their time. */
  planned: number | null;
  /** Requests that have ended, by outcome; `unsent` is only counted at the end. */
  outcomes: OutcomeCounts;
  elapsedMs: number;
  /** Of the latest replies, milliseconds from sending; null before the first. With several processes that of the slowest. */
  p99Ms: number | null;
  /** Until the last phase ends, at the present rate; null before anything can be said. */
  leftMs: number | null;
}

/** Milliseconds; each from sending to the whole reply, of requests that got one. */
export interface LatencySummary {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Latencies {
  /** Null when no request ended so. */
  summary(outcome: Outcome): LatencySummary | null;
  /** Over one outcome, or over all replies. */
  value(outcome: Outcome | null, aggregation: Aggregation): number | null;
  /** The histogram of an outcome as text, see `BenchReport.histograms`; null when no request ended so. */
  encoded(outcome: Outcome): string | null;
}

/** How the load generator itself fared: a load that it could not make says nothing about the service. */
export interface GeneratorReport {
  vus: number;
  requestsPerSecond: number;
  /** Share of the time that the event loop was busy, 0 to 1. */
  eventLoopUtilization: number;
  eventLoopLagMs: { p50: number; p99: number; max: number };
  /** How late requests of an open model left although a connection was free; null when there was no open model. */
  startLagMs: { p50: number; p99: number; max: number } | null;
  /** Processor seconds per second; null when it could not be read. */
  cpuShare: number | null;
  reconnects: number;
  /** Why requests ended without a usable reply: `ECONNRESET`, `timeout`, `closed`, … and how often. */
  faults: Record<string, number>;
  /** The generator itself was probably what limited the rate. */
  limited: boolean;
}

export interface LoadResult {
  record: RequestRecord;
  outcomes: OutcomeCounts;
  /** Requests that the phases wanted; more than the record has where a threshold ended the load. */
  planned: number;
  latencies: Latencies;
  /** The same from when each request was due, see `OpenPhase`. */
  fromPlanned: Latencies;
  /** From the first request sent to the last reply. */
  seconds: number;
  /** Wall clock at microsecond 0 of the record. */
  startedAt: Date;
  /** The load was cut short by the signal. */
  interrupted: boolean;
  /** Nothing answered any more, and the rest was not sent. */
  targetLost: boolean;
  /** The threshold that ended the load. */
  aborted: AbortedLoad | null;
  /** Phases that ended before their time because all users had asked. */
  ranOut: readonly string[];
  /** The most frequent replies that decided nothing, the most frequent first. */
  unexplained: UnexplainedReply[];
  /** Names of the coupons that accepted replies gave; left out: none was asked for. */
  issueIds?: IssueIds;
  generator: GeneratorReport;
}

/** Rows of the record in rising order, and the name that the reply of each gave. */
export interface IssueIds {
  row: Uint32Array;
  id: string[];
}

export interface AbortedLoad {
  metric: string;
  expr: string;
  actual: number;
  phase: string;
  /** Milliseconds since the load began. */
  atMs: number;
  /** Requests per second that were due at that moment; null in a closed model. */
  askedPerSecond: number | null;
  /** Replies in the second before. */
  answeredPerSecond: number;
}

export interface LoadOptions {
  signal: AbortSignal;
  /** Called once, at microsecond 0 of the record; with several processes within some milliseconds of it. */
  onStart?: () => void;
  onProgress?: (progress: LoadProgress) => void;
}

export interface LoadDriver {
  /** @throws nothing for what a service may do; every request ends as one outcome on the record */
  run(plan: LoadPlan, options: LoadOptions): Promise<LoadResult>;
}

export interface ProbeResult {
  status: number;
  ms: number;
  /** The service answers `Connection: close`: every request will pay for a new connection. */
  closesConnections: boolean;
}

export interface Probe {
  /**
   * One harmless GET; without a plan any answer will do.
   *
   * @throws CouponError `BENCH_TARGET_DOWN`, `BENCH_PROBE_REFUSED`, `CERTIFICATE_NOT_TRUSTED`; the signal's reason when it is aborted
   */
  probe(target: string, plan?: ProbePlan, options?: { tls?: TlsTrust | undefined; signal?: AbortSignal | undefined }): Promise<ProbeResult>;
}

/** Where the truth is read afterwards. */
export interface BenchStores {
  redis: RedisReader;
  ledger: LedgerReader;
  /** Nothing else lives in this Redis, so that the whole keyspace may be walked for issued hashes. */
  ownKeyspace: boolean;
}
