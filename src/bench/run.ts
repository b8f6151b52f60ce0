/**
 * A load on an endpoint, and the proof of what came of it: look at the coupons, probe, load, wait for the drain, read both
 * stores, compare. The load is never trusted for its own figures, and the service never for its answers.
 */
import { outcomeCode } from './checks/integrity.ts';
import type { CouponEvidence, RequestRecord, UserNames } from './checks/integrity.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { Strategy } from '../campaign/strategy.ts';
import { planRequests, UserDirectory, type Prepared } from './plan/user-plan.ts';
import type { Clock } from '../lib/clock.ts';
import { usageError, type CouponError } from '../lib/errors.ts';
import { shellQuoted } from '../lib/text/suggested-command.ts';
import type { LoadDriver, LoadProgress, LoadResult, Probe, TlsTrust } from './ports.ts';
import type { BenchReport, DisruptionEvent, StoreSample } from './report/report.ts';
import { reportOf } from './run-report.ts';
import { startSampler } from './sampler.ts';
import { withIssueIds } from './record/issue-ids.ts';
import { settle } from './settle.ts';
import type { Settled } from './settle.ts';
import { runTimeline, type Disrupt } from './run-timeline.ts';
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
  /** What the steps before the load captured: for the whole run, and for each user. */
  shared?: Record<string, string>;
  prepared?: Prepared | null;
  /** Coupons that may have been used before. */
  allowCoupons?: readonly string[];
  /** Aborted by a signal: the load stops, what was sent is still verified. The reason is the signal's name. */
  signal: AbortSignal;
  onProgress?: (progress: BenchProgress) => void;
}

export type BenchProgress =
  | { step: 'probe' }
  | { step: 'prepare'; done: number; of: number }
  | { step: 'verify' }
  | { step: 'load'; load: LoadProgress; stockLeft: number | null }
  | { step: 'settle'; waiting: number; claimed: number; issued: number };

/** A report with what it was made from, so that it can be kept and judged again. */
export interface BenchRun {
  report: BenchReport;
  record: RequestRecord;
  /** One for each coupon of the scenario, in its order. */
  evidence: CouponEvidence[];
  users: UserNames;
}

/**
 * @throws CouponError `SCENARIO_COUPON_MISSING`, `SCENARIO_COUPON_DIFFERS`, `COUPON_NOT_FRESH`, `BENCH_TARGET_DOWN`,
 *   `CERTIFICATE_NOT_TRUSTED`, and what the stores throw when they cannot be reached before the load; after it that is part of the
 *   report. The signal's reason when it is aborted before the load
 */
export async function benchRun(ports: BenchPorts, options: BenchOptions): Promise<BenchRun> {
  const { scenario, target, tls, signal, onProgress } = options;
  const users = new UserDirectory(scenario.users);
  if (options.prepared) users.prepare(options.prepared);
  const couponIds = scenario.coupons.map((coupon) => coupon.id);
  const before: Uint32Array[] = [];
  for (const coupon of scenario.coupons) {
    const allowed = options.allowCoupons?.includes(coupon.id) ?? false;
    if (allowed && scenario.perUser !== 1 && scenario.issueId === null) throw notToldApart(coupon.id);
    before.push(await ports.evidence.preflight(coupon, users, allowed));
  }
  onProgress?.({ step: 'probe' });
  const probed = await ports.probe.probe(target, scenario.probe, { tls, signal });

  const nearest = Math.max(...scenario.phases.map((phase) => phase.vus));
  const { request, followUps, outcomes, issueId, phases, gracefulStopMs } = scenario;
  const requests = planRequests(scenario.users, couponIds.length, nearest, scenario.series);
  // The clock of the record begins with the load: what is told beside it counts from there.
  let startedMs = ports.clock.now();
  const sampler = startSampler(ports.evidence, couponIds, ports.clock);
  let load: LoadResult;
  let settled: Settled;
  let samples: StoreSample[] = [];
  let disrupting: Promise<DisruptionEvent[]> = Promise.resolve([]);
  let disruptions: DisruptionEvent[] = [];
  try {
    load = await ports.driver.run(
      {
        target,
        ...(tls ? { tls } : {}),
        request,
        followUps,
        ...(options.shared ? { shared: options.shared } : {}),
        outcomes,
        ...(issueId ? { issueId } : {}),
        couponIds,
        phases,
        requests,
        users,
        gracefulStopMs,
        abortOn: scenario.thresholds,
      },
      {
        signal,
        onStart() {
          startedMs = ports.clock.now();
          if (ports.disrupt) disrupting = runTimeline(scenario.timeline, ports.disrupt, ports.clock, signal);
        },
        ...(onProgress ? { onProgress: (progress) => onProgress({ step: 'load', load: progress, stockLeft: sampler.stockLeft() }) } : {}),
      },
    );
    load = named(load, scenario, users);
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
    samples = await sampler.stop(startedMs);
  }
  onProgress?.({ step: 'verify' });
  const { collected, evidence } = await collectAll(ports.evidence, scenario, load, settled, users, before);
  const readUs = 1_000 * (ports.clock.now() - startedMs);
  const { remarks } = ports.evidence;
  return {
    report: reportOf(options, {
      load,
      disruptions,
      samples,
      collected,
      users,
      settled,
      probed,
      startedMs,
      readUs,
      remarks: [...remarks, ...(tls?.insecure && target.startsWith('https:') ? (['CERTIFICATE_UNCHECKED'] as const) : [])],
    }),
    record: load.record,
    evidence,
    users,
  };
}

/** With the coupons that the replies named. */
function named(load: LoadResult, { perUser }: Scenario, users: UserDirectory): LoadResult {
  return load.issueIds ? { ...load, record: withIssueIds(load.record, load.issueIds, users, perUser !== 1) } : load;
}

function notToldApart(couponId: string): CouponError {
  return usageError(
    'COUPON_NOT_FRESH',
    `--allow-coupon ${shellQuoted(couponId)}: with users.perUser, coupons from before cannot be told from those of the run; nothing was sent`,
    'Take a fresh coupon, or name request.issueId in the scenario.',
  );
}

/** A load that another tool made: it is over, so that what is left is to wait for the drain, read the stores, and compare. */
export async function judgeImported(
  { evidence: source, clock }: Pick<BenchPorts, 'evidence' | 'clock'>,
  { scenario, load: imported, users, signal, target, onProgress }: Omit<BenchOptions, 'tls'> & { load: LoadResult; users: UserDirectory },
): Promise<BenchRun> {
  const load = named(imported, scenario, users);
  const couponIds = scenario.coupons.map((coupon) => coupon.id);
  const startedMs = clock.now();
  // Users whom the record does not name cannot be waited for.
  const byName = !load.record.lacks?.includes('users');
  const coupons = byName ? promised(load.record, couponIds, users) : couponIds.map((couponId) => ({ couponId, accepted: [] }));
  const settled = await settle(
    source,
    {
      coupons,
      ...scenario.settle,
      ...(onProgress ? { onProgress: (progress) => onProgress({ step: 'settle', ...progress }) } : {}),
    },
    clock,
  );
  const { collected, evidence } = await collectAll(
    source,
    scenario,
    load,
    settled,
    users,
    couponIds.map(() => new Uint32Array()),
  );
  const findings = { load, disruptions: [], samples: [], collected, users, settled, startedMs, readUs: null, remarks: source.remarks };
  const probed = { status: 0, ms: 0, closesConnections: false };
  return { report: reportOf({ scenario, target, signal }, { ...findings, probed }), record: load.record, evidence, users };
}

async function collectAll(
  source: EvidenceSource,
  { coupons }: Pick<Scenario, 'coupons'>,
  load: LoadResult,
  settled: Settled,
  users: UserDirectory,
  before: readonly Uint32Array[],
): Promise<{ collected: CollectedEvidence[]; evidence: CouponEvidence[] }> {
  const collected: CollectedEvidence[] = [];
  for (const [index, { id, total }] of coupons.entries()) {
    collected.push(
      await source.collect({
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
  return { collected, evidence: collected.map((one) => one.evidence) };
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
