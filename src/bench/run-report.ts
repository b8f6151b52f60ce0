import { checkIntegrity } from './checks/checker.ts';
import { demandOf } from './checks/demand.ts';
import { outcomeCode, type RequestRecord } from './checks/integrity.ts';
import type { CollectedEvidence, EvidenceSource } from './evidence/source.ts';
import { stillMissed } from './load-notes.ts';
import { notesOf } from './notes.ts';
import { isOpen } from './plan/phase.ts';
import type { UserDirectory } from './plan/user-plan.ts';
import type { LoadResult, ProbeResult } from './ports.ts';
import { acceptsPerSecond, latencyFields, measurements } from './report/figures.ts';
import type { BenchReport, CouponOutcome, DisruptionEvent, StoreSample, Throughput } from './report/report.ts';
import { flowOf, type Flow } from './report/flow.ts';
import { requestCounts } from './report/requests.ts';
import { timeseries } from './report/timeseries.ts';
import { verdictOf } from './report/verdict.ts';
import type { Strategy } from '../campaign/strategy.ts';
import type { Scenario } from './scenario/scenario.ts';
import { evaluateThresholds } from './scenario/thresholds.ts';
import type { Settled } from './settle.ts';

/** What was to be run. */
interface Asked {
  scenario: Scenario;
  target: string;
  strategy?: Strategy;
  signal: AbortSignal;
}

/** What a run came to, before anybody judged it. */
export interface Findings {
  load: LoadResult;
  disruptions: DisruptionEvent[];
  samples: StoreSample[];
  collected: CollectedEvidence[];
  users: UserDirectory;
  settled: Settled;
  probed: ProbeResult;
  startedMs: number;
  /** When all evidence had been read, microseconds of the record; null: not known. */
  readUs: number | null;
  remarks: EvidenceSource['remarks'];
}

/** The report: what was measured, what was proven, and the verdict. */
export function reportOf({ scenario, target, strategy, signal }: Asked, findings: Findings): BenchReport {
  const { load, collected, users } = findings;
  const evidence = collected.map((one) => one.evidence);
  const integrity = checkIntegrity(load.record, evidence, users, scenario.perUser);
  const flow = flowOf({
    record: load.record,
    startedAt: load.startedAt,
    readUs: findings.readUs,
    coupons: collected.map(({ evidence: { couponId, total, before }, issued }) => ({ couponId, total, before, issued })),
  });
  const throughput = throughputOf(findings, flow);
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
      ...(scenario.perUser === 1 ? {} : { perUser: scenario.perUser }),
    },
    startedAt: load.startedAt.toISOString(),
    requests: requestCounts(load),
    outcomes: load.outcomes,
    ...latencyFields(load.latencies),
    latencyFromPlanned: scenario.phases.some(isOpen) ? latencyFields(load.fromPlanned).latency : {},
    throughput,
    stepSeconds: series.stepSeconds,
    timeseries: series.points,
    ...(flow ? { flow } : {}),
    samples: findings.samples,
    ...(findings.disruptions.length > 0 ? { disruptions: findings.disruptions } : {}),
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

function throughputOf({ load, collected, settled, startedMs }: Findings, flow: Flow | null): Throughput {
  const accepted = acceptsPerSecond(load.record);
  let issued = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const times of collected) {
    for (const us of times.issued?.us ?? []) {
      issued += 1;
      first = Math.min(first, us);
      last = Math.max(last, us);
    }
  }
  // Somebody looked whether anyone waits only after the load. The times of issue say more, where they can be laid beside the record.
  const drainedMs =
    flow?.waiting && issued > 0 ? last / 1_000 - load.startedAt.getTime() : settled.emptyAtMs && settled.emptyAtMs - startedMs;
  return {
    seconds: load.seconds,
    requestsPerSecond: load.generator.requestsPerSecond,
    acceptsPerSecond: accepted,
    issuesPerSecond: last > first ? issued / ((last - first) / 1e6) : null,
    timeUntilDrainedMs: settled.settled && drainedMs !== null ? Math.max(0, Math.round(drainedMs)) : null,
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
