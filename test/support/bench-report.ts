import type { BenchRun } from '../../src/bench/run.ts';
import { acceptsPerSecond, latencyFields } from '../../src/bench/report/figures.ts';
import type { BenchReport, DisruptionEvent, StoreSample } from '../../src/bench/report/report.ts';
import { flowOf, type Flow } from '../../src/bench/report/flow.ts';
import { timeseries } from '../../src/bench/report/timeseries.ts';
import { judgeAgain } from '../../src/bench/verify.ts';
import { outcomeCode } from '../../src/bench/checks/integrity.ts';
import type { CouponEvidence, RequestRecord } from '../../src/bench/checks/integrity.ts';
import { noOutcomes, OUTCOMES } from '../../src/campaign/outcome.ts';
import type { Outcome } from '../../src/campaign/outcome.ts';
import { latenciesOf } from '../../src/bench/record/histogram.ts';

const STARTED_AT = '2026-11-22T10:00:00.000Z';

export interface PaperRun {
  name?: string;
  users?: number;
  total?: number;
  seconds?: number;
  /** All latencies times this. */
  slowness?: number;
  /** Accepted users (from the first) who get no coupon. */
  lost?: number;
  /** Stock and queue are known from samples alone, as in reports of earlier versions. */
  sampled?: boolean;
  disruptions?: DisruptionEvent[];
}

/** A flash sale on paper, the same every time: what bench would have seen of a correct service, and its report. */
export function benchRun({
  name = 'paper',
  users = 2_000,
  total = 300,
  seconds = 12,
  slowness = 1,
  lost = 0,
  sampled = false,
  disruptions,
}: PaperRun = {}): BenchRun {
  const record = paperRecord(users, total, seconds, slowness);
  const accepted = [...record.user.keys()].filter((row) => record.outcome[row] === outcomeCode('accepted'));
  const issued = accepted.slice(lost);
  const evidence: CouponEvidence = {
    couponId: 'c',
    total,
    settled: true,
    before: new Uint32Array(),
    ledger: {
      user: Uint32Array.from(issued, (row) => record.user[row]!),
      requestedUs: Float64Array.from(issued, (_row, index) => 1_790_000_000_000_000 + index),
      requestedStepUs: 1,
      turn: Float64Array.from(issued, (_row, index) => Math.floor(index / 50)),
      revoked: new Uint8Array(issued.length),
      issuedQuantity: issued.length,
    },
    redis: {
      issued: Uint32Array.from(issued, (row) => record.user[row]!),
      waiting: new Uint32Array(),
      claimed: new Uint32Array(),
      dead: new Uint32Array(),
      total,
      stock: total - accepted.length,
      returned: 0,
      spent: accepted.length,
    },
  };
  const names = { size: users, planned: users, id: (user: number) => `user-${user}` };
  const flow = sampled ? null : paperFlow(record, accepted, lost, evidence, seconds);
  const report = {
    ...paperReport(name, record, evidence, paperSamples(record, accepted, seconds)),
    ...(flow ? { flow } : {}),
    ...(disruptions ? { disruptions } : {}),
  };
  const run = { report, record, evidence: [evidence], users: names };
  return { ...run, report: judgeAgain(run) };
}

export function benchReport(options: PaperRun = {}): BenchReport {
  return benchRun(options).report;
}

function paperRecord(users: number, total: number, seconds: number, slowness: number): RequestRecord {
  const length = Math.floor(users * 1.2);
  const record = {
    length,
    user: new Uint32Array(length),
    coupon: new Uint16Array(length),
    requestId: Uint32Array.from({ length }, (_, row) => row),
    intendedUs: new Float64Array(length),
    sentUs: new Float64Array(length),
    doneUs: new Float64Array(length),
    outcome: new Uint8Array(length),
    status: new Uint16Array(length),
  };
  let taken = 0;
  for (let row = 0; row < length; row += 1) {
    const again = row % 6 === 5;
    const noise = ((row * 7_919) % 1_000) / 1_000;
    const wave = 1 + Math.sin((row / length) * 9) / 3;
    const outcome: Outcome = again && taken > 0 ? 'duplicate' : taken < total ? 'accepted' : row % 97 === 0 ? 'unavailable' : 'sold_out';
    record.user[row] = again ? record.user[row - 1]! : row - Math.floor(row / 6);
    record.sentUs[row] = record.intendedUs[row] = (row / length) * seconds * 1e6;
    const ms = { accepted: 12, duplicate: 6, sold_out: 3, unavailable: 40 }[outcome as 'accepted'] * wave * (1 + 3 * noise ** 6) * slowness;
    record.doneUs[row] = record.sentUs[row]! + ms * 1_000;
    record.outcome[row] = outcomeCode(outcome);
    record.status[row] = { accepted: 202, duplicate: 409, sold_out: 410, unavailable: 503 }[outcome as 'accepted'];
    if (outcome === 'accepted') taken += 1;
  }
  // An accepted user's second request is told "duplicate", a refused one's "sold out" again.
  for (let row = 5; row < length; row += 6) {
    if (record.outcome[row - 1] === outcomeCode('accepted')) continue;
    record.outcome[row] = outcomeCode('sold_out');
    record.status[row] = 410;
  }
  return record;
}

function paperSamples(record: RequestRecord, accepted: number[], seconds: number): StoreSample[] {
  const total = accepted.length;
  return Array.from({ length: Math.ceil(seconds * 4) + 12 }, (_, index) => {
    const second = index / 4;
    const done = accepted.filter((row) => record.doneUs[row]! <= second * 1e6).length;
    const issued = Math.min(done, Math.floor(second * (total / seconds) * 1.5));
    const claimed = Math.min(done - issued, 20);
    return { second, couponId: 'c', stock: total - done, waiting: done - issued - claimed, claimed, issued };
  });
}

/** Users are issued in their order, each when the reply was there and the drain had come so far. */
function paperFlow(record: RequestRecord, accepted: number[], lost: number, { total }: CouponEvidence, seconds: number): Flow | null {
  const us = accepted.map((row, index) => Math.max(record.doneUs[row]!, ((index + 1) / ((accepted.length / seconds) * 1.5)) * 1e6));
  const startedUs = Date.parse(STARTED_AT) * 1_000;
  return flowOf({
    record,
    startedAt: new Date(STARTED_AT),
    readUs: null,
    coupons: [
      {
        couponId: 'c',
        total,
        before: new Uint32Array(),
        issued: {
          user: Uint32Array.from(accepted.slice(lost), (row) => record.user[row]!),
          us: Float64Array.from(us.slice(lost), (one) => startedUs + one),
          stepUs: 1_000,
          untimed: 0,
        },
      },
    ],
  });
}

function paperReport(name: string, record: RequestRecord, { total }: CouponEvidence, samples: StoreSample[]): BenchReport {
  const outcomes = noOutcomes();
  for (const code of record.outcome) outcomes[OUTCOMES[code]!] += 1;
  const seconds = record.sentUs.at(-1)! / 1e6;
  const { stepSeconds, points } = timeseries(record);
  const metric = 'http_req_duration{outcome:accepted}';
  return {
    schemaVersion: 1,
    scenario: {
      name,
      description: 'A sale on paper.',
      target: 'http://127.0.0.1:8080',
      strategy: null,
      users: 2_000,
      requests: record.length,
      coupons: [{ couponId: 'c', total }],
      skip: [],
    },
    startedAt: STARTED_AT,
    outcomes,
    ...latencyFields(latenciesOf(record)),
    latencyFromPlanned: {},
    throughput: {
      seconds,
      requestsPerSecond: record.length / seconds,
      acceptsPerSecond: acceptsPerSecond(record),
      issuesPerSecond: 140,
      timeUntilDrainedMs: 14_000,
    },
    stepSeconds,
    timeseries: points,
    samples,
    thresholds: [
      { metric, expr: 'p(99)<60', actual: 31.4, ok: true },
      { metric, expr: 'max<10', actual: 66.1, ok: false },
      { metric: 'outcome_unexpected', expr: 'count==0', actual: 0, ok: true },
    ],
    integrity: [],
    coupons: [{ couponId: 'c', total, accepted: outcomes.accepted, issued: total, revoked: 0, stock: 0, waiting: 0, claimed: 0, dead: 0 }],
    generator: {
      vus: 50,
      requestsPerSecond: record.length / seconds,
      eventLoopUtilization: 0.42,
      eventLoopLagMs: { p50: 0.1, p99: 1.2, max: 4.5 },
      startLagMs: null,
      cpuShare: 0.37,
      reconnects: 2,
      faults: { ECONNRESET: 2 },
      limited: false,
    },
    notes: [{ code: 'HASHES_NOT_SCANNED' }],
    verdict: { integrity: 'pass', thresholds: 'pass' },
    exitCode: 0,
  };
}
