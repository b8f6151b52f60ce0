/**
 * How the stock went down and the queue went up and down, counted and not sampled: a user is accepted when the reply was there, by
 * the record, and issued when the list of issued coupons says so. Nothing has to be read while the load runs, so no
 * moment can be missed.
 */
import { outcomeCode, type RequestRecord } from '../checks/integrity.ts';
import type { IssueTimes } from '../evidence/issue-times.ts';
import { lastMoment, stepFor } from './timeseries.ts';

/** Users by the end of each step, from second 0 on: entry `n` counts what happened up to `n * stepSeconds`. */
export interface Flow {
  stepSeconds: number;
  /** The first {@link MAX_COUPONS} coupons. */
  coupons: CouponFlow[];
  /** Accepted users without a coupon, of all coupons together; null where times of issue are missing, too coarse, or of another clock. */
  waiting: { users: number[]; most: number; mostSecond: number } | null;
  /** Accepted users whom no reply told so (it was lost, or left it open): they count from when they were issued. */
  untold: number;
  /** The clock of the list is at least so far behind that of the load: a coupon was issued before its user asked. */
  clockBehindMs: number;
}

export interface CouponFlow {
  couponId: string;
  /** Coupons that were left when the load began. */
  stock: number;
  accepted: number[];
  /** Null as `waiting` is. */
  issued: number[] | null;
}

export interface FlowSource {
  record: RequestRecord;
  /** Wall clock at microsecond 0 of the record. */
  startedAt: Date;
  /** Microsecond of the record at which the evidence had been read; null: not known. */
  readUs: number | null;
  coupons: readonly { couponId: string; total: number; before: Uint32Array; issued: IssueTimes | null }[];
}

/** More coupons than this would be more charts than anybody looks at. */
const MAX_COUPONS = 6;
/** Coarser times than this would move users by more than a step. */
const MAX_STEP_US = 1_000;
/** Clocks that are known to differ by more than this are not laid over one another. */
const MAX_CLOCK_US = 100_000;

/** Null when the record does not say who asked, or when, or when nothing was asked. */
export function flowOf(source: FlowSource): Flow | null {
  const { record, coupons } = source;
  if (record.length === 0 || (record.lacks?.length ?? 0) > 0) return null;
  const seen = seenUsers(source);
  const behindUs = Math.max(0, ...seen.map(({ behindUs: own }) => own));
  const timed = behindUs <= MAX_CLOCK_US && seen.every(({ usable }) => usable);
  const all = seen.map((one) => eventsOf(one, timed));
  const everything = all.flatMap(({ enteredUs, issuedUs }) => [enteredUs, issuedUs]);
  const lastUs = Math.max(lastMoment(record), ...everything.map((sorted) => sorted.at(-1) ?? 0));
  const stepSeconds = stepFor(lastUs);
  const steps = { us: stepSeconds * 1e6, count: Math.ceil(lastUs / (stepSeconds * 1e6)) + 1 };
  return {
    stepSeconds,
    coupons: coupons.slice(0, MAX_COUPONS).map(({ couponId, total, before }, index) => ({
      couponId,
      stock: total - before.length,
      accepted: countsAt(all[index]!.enteredUs, steps),
      issued: timed ? countsAt(all[index]!.issuedUs, steps) : null,
    })),
    waiting: timed ? waitingOf(all, steps) : null,
    untold: timed ? all.reduce((sum, { untold }) => sum + untold, 0) : 0,
    clockBehindMs: timed ? Math.round(behindUs / 1_000) : 0,
  };
}

interface Seen {
  /** First reply that accepted each user, microseconds of the record, and first issue. */
  accepted: Map<number, number>;
  issued: Map<number, number>;
  /** All issues, also second ones of a user. */
  issuedUs: Float64Array;
  usable: boolean;
  behindUs: number;
}

function seenUsers({ record, startedAt, readUs, coupons }: FlowSource): Seen[] {
  const zeroUs = startedAt.getTime() * 1_000;
  const seen = coupons.map(({ issued }): Seen => {
    const issuedUs = (issued?.us ?? new Float64Array()).map((us) => us - zeroUs);
    const first = new Map<number, number>();
    issuedUs.forEach((us, row) => earliest(first, issued!.user[row]!, us));
    const lastUs = issuedUs.reduce((last, us) => Math.max(last, us), Number.NEGATIVE_INFINITY);
    const fine = issued !== null && issued.untimed === 0 && issued.stepUs <= MAX_STEP_US;
    const usable = fine && (readUs === null || lastUs <= readUs + MAX_CLOCK_US);
    return { accepted: new Map(), issued: first, issuedUs, usable, behindUs: 0 };
  });
  const asked = coupons.map(() => new Map<number, number>());
  const acceptedCode = outcomeCode('accepted');
  for (let row = 0; row < record.length; row += 1) {
    const one = seen[record.coupon[row]!]!;
    const user = record.user[row]!;
    if (record.outcome[row] === acceptedCode) earliest(one.accepted, user, record.doneUs[row]!);
    if (record.sentUs[row]! >= 0 && one.issued.has(user)) earliest(asked[record.coupon[row]!]!, user, record.sentUs[row]!);
  }
  return seen.map((one, index) => {
    const stepUs = coupons[index]!.issued?.stepUs ?? 0;
    let behindUs = 0;
    // Nobody is issued before he asks: where it looks so, the clocks differ.
    for (const [user, us] of asked[index]!) behindUs = Math.max(behindUs, us - one.issued.get(user)! - stepUs);
    return { ...one, behindUs };
  });
}

function earliest(times: Map<number, number>, key: number, us: number): void {
  const known = times.get(key);
  if (known === undefined || us < known) times.set(key, us);
}

interface Events {
  /** Sorted. */
  enteredUs: Float64Array;
  issuedUs: Float64Array;
  /** Of users who waited at all: the reply was there before the coupon. */
  waitedFromUs: Float64Array;
  waitedToUs: Float64Array;
  untold: number;
}

function eventsOf({ accepted, issued, issuedUs }: Seen, timed: boolean): Events {
  const entered: number[] = [];
  const [from, to]: [number[], number[]] = [[], []];
  let untold = 0;
  for (const [user, us] of accepted) {
    const done = timed ? (issued.get(user) ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    entered.push(Math.min(us, done));
    if (us >= done) continue;
    from.push(us);
    if (done !== Number.POSITIVE_INFINITY) to.push(done);
  }
  for (const [user, us] of timed ? issued : []) {
    if (accepted.has(user)) continue;
    entered.push(us);
    untold += 1;
  }
  return {
    enteredUs: Float64Array.from(entered).toSorted(),
    issuedUs: timed ? issuedUs.toSorted() : new Float64Array(),
    waitedFromUs: Float64Array.from(from),
    waitedToUs: Float64Array.from(to),
    untold,
  };
}

interface Steps {
  us: number;
  count: number;
}

/** How many of these sorted times lie at or before the end of each step. */
function countsAt(sortedUs: Float64Array, { us, count }: Steps): number[] {
  let next = 0;
  return Array.from({ length: count }, (_, step) => {
    while (next < sortedUs.length && sortedUs[next]! <= step * us) next += 1;
    return next;
  });
}

function waitingOf(all: readonly Events[], steps: Steps): NonNullable<Flow['waiting']> {
  const sorted = (of: (events: Events) => Float64Array): Float64Array =>
    Float64Array.from(all.flatMap((events) => [...of(events)])).toSorted();
  const from = sorted(({ waitedFromUs }) => waitedFromUs);
  const to = sorted(({ waitedToUs }) => waitedToUs);
  let [most, mostUs, gone] = [0, 0, 0];
  for (let came = 0; came < from.length; came += 1) {
    while (gone < to.length && to[gone]! <= from[came]!) gone += 1;
    if (came + 1 - gone > most) [most, mostUs] = [came + 1 - gone, from[came]!];
  }
  const left = countsAt(to, steps);
  return {
    users: countsAt(from, steps).map((came, step) => came - left[step]!),
    most,
    mostSecond: Math.round(mostUs / 1_000) / 1_000,
  };
}
