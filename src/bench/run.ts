/**
 * A load on an endpoint, and the proof of what came of it: look at the coupons, probe, load, wait for the drain, read both
 * stores, compare. The load is never trusted for its own figures, and the service never for its answers.
 */
import { checkIntegrity } from './checks/checker.ts';
import { demandOf } from './checks/demand.ts';
import { outcomeCode } from './checks/integrity.ts';
import type { CouponEvidence, RequestRecord, UserNames } from './checks/integrity.ts';
import { isOpen } from './plan/phase.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { Strategy } from '../campaign/strategy.ts';
import { evaluateThresholds } from './scenario/thresholds.ts';
import { planRequests, UserDirectory } from './plan/user-plan.ts';
import { verdictOf } from './report/verdict.ts';
import { acceptsPerSecond, latencyFields, measurements } from './report/figures.ts';
import type { Clock } from '../lib/clock.ts';
import type { LoadDriver, LoadProgress, LoadResult, Probe, ProbeResult, TlsTrust } from './ports.ts';
import type { BenchReport, CouponOutcome, Note, Throughput, StoreSample } from './report/report.ts';
import { notesOf } from './notes.ts';
import { stillMissed } from './load-notes.ts';
import { startSampler } from './sampler.ts';
import { settle } from './settle.ts';
import type { Settled } from './settle.ts';
import { runTimeline, type Disrupt } from './run-timeline.ts';
import { timeseries } from './report/timeseries.ts';
import type { CollectedEvidence, EvidenceSource } from './evidence/source.ts';

export interface BenchPorts {
  driver: LoadDriver;
  probe: Probe;
  evidence: EvidenceSource;
  clock: Clock;
  /** Carries out the scenario's timeline; without it there must be none. */
  disrupt?: Disrupt;
}

export interface BenchOptions {
  scenario: Scenario;
  /** Address of the endpoint, without a trailing slash. */
  target: string;
  /** Left out: certificates are checked against the authorities that Node knows. */
  tls?: TlsTrust;
  /** For the report, when it is known how the endpoint decides. */
  strategy?: Strategy;
  /** Coupons that may have been used before. */
  allowCoupons?: readonly string[];
  /** Aborted by a signal: the load stops, what was sent is still verified. The reason is the signal's name. */
  signal: AbortSignal;
  onProgress?: (progress: BenchProgress) => void;
}

export type BenchProgress =
  | { step: 'probe' }
  | { step: 'verify' }
  | { step: 'load'; load: LoadProgress; stockLeft: number | null }
  | { step: 'settle'; waiting: number; claimed: number; issued: number };

/**
 * @throws CouponError `SCENARIO_COUPON_MISSING`, `SCENARIO_COUPON_DIFFERS`, `COUPON_NOT_FRESH`, `BENCH_TARGET_DOWN`,
 *   `CERTIFICATE_NOT_TRUSTED`, and what the stores throw when they cannot be reached before the load; after it that is part of the
 *   report. The signal's reason when it is aborted before the load
 */
export async function bench(ports: BenchPorts, options: BenchOptions): Promise<BenchReport> {
  return (await benchRun(ports, options)).report;
}

/** A report with what it was made from, so that it can be kept and judged again. */
export interface BenchRun {
  report: BenchReport;
  record: RequestRecord;
  /** One for each coupon of the scenario, in its order. */
  evidence: CouponEvidence[];
  users: UserNames;
}

/** As {@link bench}. */
export async function benchRun(ports: BenchPorts, options: BenchOptions): Promise<BenchRun> {
  const { scenario, target, tls, signal, onProgress } = options;
  const users = new UserDirectory(scenario.users);
  const couponIds = scenario.coupons.map((coupon) => coupon.id);
  const before: Uint32Array[] = [];
  for (const coupon of scenario.coupons) {
    before.push(await ports.evidence.preflight(coupon, users, options.allowCoupons?.includes(coupon.id) ?? false));
  }
  onProgress?.({ step: 'probe' });
  const probed = await ports.probe.probe(target, scenario.probe, { tls, signal });

  const nearest = Math.max(...scenario.phases.map((phase) => phase.vus));
  const { request, outcomes, phases, gracefulStopMs } = scenario;
  const requests = planRequests(scenario.users, couponIds.length, nearest);
  const startedMs = ports.clock.now();
  const sampler = startSampler(ports.evidence, couponIds, ports.clock);
  let load: LoadResult;
  let settled: Settled;
  let samples: StoreSample[] = [];
  let disruptions: Note[] = [];
  const disrupting = ports.disrupt ? runTimeline(scenario.timeline, ports.disrupt, ports.clock, signal) : [];
  try {
    load = await ports.driver.run(
      {
        target,
        ...(tls ? { tls } : {}),
        request,
        outcomes,
        couponIds,
        phases,
        requests,
        users,
        gracefulStopMs,
        abortOn: scenario.thresholds,
      },
      {
        signal,
        ...(onProgress ? { onProgress: (progress) => onProgress({ step: 'load', load: progress, stockLeft: sampler.stockLeft() }) } : {}),
      },
    );
    disruptions = await disrupting;
    settled = await settle(
      ports.evidence,
      {
        coupons: promised(load.record, couponIds, users),
        ...scenario.settle,
        ...(onProgress ? { onProgress: (progress) => onProgress({ step: 'settle', ...progress }) } : {}),
      },
      ports.clock,
    );
  } finally {
    samples = await sampler.stop();
  }
  onProgress?.({ step: 'verify' });
  const collected: CollectedEvidence[] = [];
  for (const [index, { id, total }] of scenario.coupons.entries()) {
    collected.push(
      await ports.evidence.collect({
        couponId: id,
        total,
        settled: settled.settled,
        idle: settled.idle,
        before: before[index]!,
        users,
        asked: askers(load.record),
      }),
    );
  }
  const { remarks } = ports.evidence;
  return {
    report: report(options, {
      load,
      disruptions,
      samples,
      collected,
      users,
      settled,
      probed,
      startedMs,
      remarks: [...remarks, ...(tls?.insecure && target.startsWith('https:') ? (['CERTIFICATE_UNCHECKED'] as const) : [])],
    }),
    record: load.record,
    evidence: collected.map((one) => one.evidence),
    users,
  };
}

interface Findings {
  load: LoadResult;
  disruptions: Note[];
  samples: StoreSample[];
  collected: CollectedEvidence[];
  users: UserDirectory;
  settled: Settled;
  probed: ProbeResult;
  startedMs: number;
  remarks: EvidenceSource['remarks'];
}

function report({ scenario, target, strategy, signal }: BenchOptions, findings: Findings): BenchReport {
  const { load, collected, users } = findings;
  const evidence = collected.map((one) => one.evidence);
  const integrity = checkIntegrity(load.record, evidence, users);
  const throughput = throughputOf(findings);
  const figures = measurements({ ...load, planned: load.record.length, throughput });
  const thresholds = stillMissed(evaluateThresholds(scenario.thresholds, figures), load.aborted);
  const interrupted = !load.interrupted ? null : signal.reason === 'SIGTERM' ? 143 : 130;
  const series = timeseries(load.record);
  return {
    schemaVersion: 1,
    scenario: {
      name: scenario.name,
      description: scenario.description,
      target,
      strategy: strategy ?? null,
      users: scenario.users.count,
      requests: load.record.length,
      coupons: scenario.coupons.map(({ id, total }) => ({ couponId: id, total })),
      skip: scenario.skip,
    },
    startedAt: load.startedAt.toISOString(),
    outcomes: load.outcomes,
    ...latencyFields(load.latencies),
    latencyFromPlanned: scenario.phases.some(isOpen) ? latencyFields(load.fromPlanned).latency : {},
    throughput,
    stepSeconds: series.stepSeconds,
    timeseries: series.points,
    samples: findings.samples,
    thresholds,
    integrity,
    coupons: collected.map((one, index) => couponOutcome(one, index, load.record)),
    generator: load.generator,
    notes: notesOf({ ...findings, integrity }),
    ...(load.unexplained.length > 0 ? { unexplained: load.unexplained } : {}),
    ...verdictOf({
      integrity,
      skip: scenario.skip,
      thresholds,
      demand: demandOf(load.record, evidence),
      targetLost: load.targetLost,
      interrupted,
    }),
  };
}

function throughputOf({ load, collected, settled, startedMs }: Findings): Throughput {
  const accepted = acceptsPerSecond(load.record);
  let issued = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { issuedMs } of collected) {
    if (!issuedMs) continue;
    issued += issuedMs.count;
    first = Math.min(first, issuedMs.first);
    last = Math.max(last, issuedMs.last);
  }
  return {
    seconds: load.seconds,
    requestsPerSecond: load.generator.requestsPerSecond,
    acceptsPerSecond: accepted,
    issuesPerSecond: last > first ? issued / ((last - first) / 1_000) : null,
    timeUntilDrainedMs: settled.settled && settled.emptyAtMs !== null ? Math.round(settled.emptyAtMs - startedMs) : null,
  };
}

function couponOutcome({ evidence }: CollectedEvidence, index: number, record: RequestRecord): CouponOutcome {
  const { couponId, total, ledger, redis } = evidence;
  const accepted = new Set<number>();
  const code = outcomeCode('accepted');
  for (let row = 0; row < record.length; row += 1) {
    if (record.outcome[row] === code && record.coupon[row] === index) accepted.add(record.user[row]!);
  }
  return {
    couponId,
    total,
    accepted: accepted.size,
    issued: ledger ? ledger.user.length : redis && evidence.consulted?.hashes ? redis.issued.length : null,
    revoked: ledger && ledger.revoked.reduce((sum, flag) => sum + flag, 0),
    stock: redis && redis.stock,
    waiting: redis && redis.waiting.length,
    claimed: redis && redis.claimed.length,
    dead: redis && redis.dead.length,
  };
}

/** Who was told "accepted", by coupon. */
function promised(record: RequestRecord, couponIds: readonly string[], users: UserDirectory) {
  const accepted = couponIds.map(() => new Set<number>());
  const code = outcomeCode('accepted');
  for (let row = 0; row < record.length; row += 1) if (record.outcome[row] === code) accepted[record.coupon[row]!]!.add(record.user[row]!);
  return couponIds.map((couponId, index) => ({ couponId, accepted: Array.from(accepted[index]!, (user) => users.id(user)) }));
}

/** Users whose request left, each once. */
function askers(record: RequestRecord): Set<number> {
  const asked = new Set<number>();
  const unsent = outcomeCode('unsent');
  for (let row = 0; row < record.length; row += 1) if (record.outcome[row] !== unsent) asked.add(record.user[row]!);
  return asked;
}
