import type { GeneratorReport, LoadResult } from '../../ports.ts';
import type { RequestRecord } from '../../checks/integrity.ts';
import { noOutcomes, OUTCOMES } from '../../../campaign/outcome.ts';
import { mergeUnexplained } from '../../report/unexplained.ts';
import { latenciesOf } from '../../record/histogram.ts';
import type { SplitPlan } from './plan.ts';

/** What one of several processes found, as plain data. */
export interface PartResult
  extends
    Pick<LoadResult, 'planned' | 'seconds' | 'interrupted' | 'targetLost' | 'ranOut' | 'generator'>,
    Partial<Pick<LoadResult, 'unexplained' | 'issueIds'>> {
  record: RequestRecord;
  /** Microsecond 0 of the record, on the clock that all processes share; milliseconds. */
  zeroMs: number;
  /** Wall clock at the same moment, milliseconds since 1970. */
  startedAtMs: number;
}

/**
 * One result of several: every row goes back to its place in the whole plan, and all times to one clock. Counts, rates and
 * histograms are then made from the one record as if one process had kept it, so nothing is averaged.
 */
export function mergeResults(parts: readonly PartResult[], split: SplitPlan): LoadResult {
  const zeroMs = Math.min(...parts.map((part) => part.zeroMs));
  const owners = ownersOf(parts, split);
  const record = mergeRecords(parts, split, owners, zeroMs);
  const outcomes = noOutcomes();
  for (const code of record.outcome) outcomes[OUTCOMES[code]!] += 1;
  const seconds = secondsOf(parts);
  const replies = record.length - outcomes.unsent - outcomes.unknown;
  return {
    record,
    outcomes,
    planned: parts.reduce((sum, part) => sum + part.planned, 0),
    latencies: latenciesOf(record),
    fromPlanned: latenciesOf(record, 'planned'),
    seconds,
    startedAt: new Date(Math.min(...parts.map((part) => part.startedAtMs))),
    interrupted: parts.some((part) => part.interrupted),
    targetLost: parts.some((part) => part.targetLost),
    aborted: null,
    unexplained: mergeUnexplained(parts.map((part) => part.unexplained ?? [])),
    ranOut: [...new Set(parts.flatMap((part) => part.ranOut))],
    ...mergeIssueIds(parts, split.rows, owners.kept),
    generator: mergeGenerators(
      parts.map((part) => part.generator),
      seconds > 0 ? replies / seconds : 0,
    ),
  };
}

/** From the first request of any process to the last end of one. */
function secondsOf(parts: readonly PartResult[]): number {
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { record, zeroMs, seconds } of parts) {
    let sentUs = Number.POSITIVE_INFINITY;
    for (const us of record.sentUs) if (us < sentUs) sentUs = us;
    if (sentUs === Number.POSITIVE_INFINITY) continue;
    const beganMs = zeroMs + sentUs / 1_000;
    firstMs = Math.min(firstMs, beganMs);
    lastMs = Math.max(lastMs, beganMs + seconds * 1_000);
  }
  return lastMs > firstMs ? (lastMs - firstMs) / 1_000 : 0;
}

/** Which process sent a row of the whole plan, and as which row of its own; `kept` are the rows that some process sent. */
interface Owners {
  owner: Uint8Array;
  ownRow: Uint32Array;
  kept: Uint32Array;
}

function ownersOf(parts: readonly PartResult[], { parts: plans, rows, requests }: SplitPlan): Owners {
  // Rows that no phase came to want are missing at the end of a part, and may be anywhere in the whole.
  const NOBODY = plans.length;
  const owner = new Uint8Array(requests.length).fill(NOBODY);
  const ownRow = new Uint32Array(requests.length);
  for (const [part, { record }] of parts.entries()) {
    for (let row = 0; row < record.length; row += 1) {
      owner[rows[part]![row]!] = part;
      ownRow[rows[part]![row]!] = row;
    }
  }
  return { owner, ownRow, kept: Uint32Array.from({ length: requests.length }, (_, row) => row).filter((row) => owner[row] !== NOBODY) };
}

/** What a row takes from the whole plan, and what from the process that sent it. */
function mergeRecords(
  parts: readonly PartResult[],
  { requests }: SplitPlan,
  { owner, ownRow, kept }: Owners,
  zeroMs: number,
): RequestRecord {
  const shiftUs = parts.map((part) => Math.round((part.zeroMs - zeroMs) * 1_000));
  const times = (of: (record: RequestRecord) => Float64Array): Float64Array =>
    Float64Array.from(kept, (row) => of(parts[owner[row]!]!.record)[ownRow[row]!]! + shiftUs[owner[row]!]!);
  return {
    length: kept.length,
    user: kept.map((row) => requests.user[row]!),
    coupon: Uint16Array.from(kept, (row) => requests.coupon[row]!),
    requestId: kept.map((row) => requests.requestId[row]!),
    intendedUs: times((record) => record.intendedUs),
    sentUs: times((record) => record.sentUs),
    doneUs: times((record) => record.doneUs),
    ...(parts.some((part) => part.record.answeredUs) ? { answeredUs: times((record) => record.answeredUs ?? record.doneUs) } : {}),
    outcome: Uint8Array.from(kept, (row) => parts[owner[row]!]!.record.outcome[ownRow[row]!]!),
    status: Uint16Array.from(kept, (row) => parts[owner[row]!]!.record.status[ownRow[row]!]!),
  };
}

function mergeIssueIds(parts: readonly PartResult[], rows: SplitPlan['rows'], kept: Uint32Array): Pick<LoadResult, 'issueIds'> {
  if (!parts.some((part) => part.issueIds)) return {};
  const byRow = new Map<number, string>();
  for (const [part, { issueIds }] of parts.entries())
    issueIds?.row.forEach((own, index) => byRow.set(rows[part]![own]!, issueIds.id[index]!));
  const row: number[] = [];
  const id: string[] = [];
  for (const [place, planned] of kept.entries()) {
    const name = byRow.get(planned);
    if (name === undefined) continue;
    row.push(place);
    id.push(name);
  }
  return { issueIds: { row: Uint32Array.from(row), id } };
}

/** Sums where processes add up; where each has its own (lateness, load of its loop), the worst, for that is what may have been felt. */
function mergeGenerators(all: readonly GeneratorReport[], requestsPerSecond: number): GeneratorReport {
  const sum = (of: (one: GeneratorReport) => number): number => all.reduce((total, one) => total + of(one), 0);
  const worst = (lags: readonly { p50: number; p99: number; max: number }[]): GeneratorReport['eventLoopLagMs'] => ({
    p50: Math.max(...lags.map((lag) => lag.p50)),
    p99: Math.max(...lags.map((lag) => lag.p99)),
    max: Math.max(...lags.map((lag) => lag.max)),
  });
  const late = all.flatMap(({ startLagMs }) => startLagMs ?? []);
  const faults: Record<string, number> = {};
  for (const one of all) for (const [fault, count] of Object.entries(one.faults)) faults[fault] = (faults[fault] ?? 0) + count;
  return {
    vus: sum((one) => one.vus),
    requestsPerSecond,
    eventLoopUtilization: Math.max(...all.map((one) => one.eventLoopUtilization)),
    eventLoopLagMs: worst(all.map((one) => one.eventLoopLagMs)),
    startLagMs: late.length > 0 ? worst(late) : null,
    cpuShare: all.some((one) => one.cpuShare === null) ? null : sum((one) => one.cpuShare ?? 0),
    reconnects: sum((one) => one.reconnects),
    faults: Object.fromEntries(Object.entries(faults).toSorted(([, a], [, b]) => b - a)),
    limited: all.some((one) => one.limited),
  };
}
