import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { AdmissionAnswer, AdmissionRequest } from '../campaign/admission.ts';
import type { Clock } from '../lib/clock.ts';
import { CouponError, isOutage, isReplyLost } from '../lib/errors.ts';
import { leavesOpen, noOutcomes, type Outcome, type OutcomeCounts } from '../campaign/outcome.ts';
import { retry } from '../lib/retry.ts';
import type { SubmitPlan } from './submit-plan.ts';

/**
 * Sends requests on their way together; answers in the same order.
 *
 * @throws CouponError when nothing answers any more: the run is over then
 */
export type Send = (requests: readonly AdmissionRequest[]) => Promise<readonly Answer[]>;

/** `ms`: how long this one took, where requests of a send are answered apart. */
type Answer = (AdmissionAnswer | { outcome: Outcome }) & { ms?: number };

export interface SubmitOptions {
  plan: SubmitPlan;
  /** Requests in flight. */
  concurrency: number;
  /** Requests in one send. */
  batch: number;
  /** Requests per second; null: as fast as the answers come. */
  rate: number | null;
  newRequestId: () => string;
}

export interface SubmitResult {
  requests: number;
  outcomes: OutcomeCounts;
  seconds: number;
  /** Requests sent per second. */
  perSecond: number;
  /** Milliseconds from sending to the answer, of requests that got one; null: none did. */
  latencyMs: { p50: number; p99: number; max: number } | null;
  /** Why the run ended early: nothing answered any more. */
  lost: CouponError | null;
}

/** With a rate, requests leave in slices of this length: short enough to look even, long enough to batch. */
const SLICE_MS = 10;

/**
 * Sends all requests of the plan in order, at most `concurrency` in flight. What an abort, or the loss of the other side, keeps
 * back counts as `unsent`; a send that failed is `unknown`: its requests may or may not have been accepted.
 */
export async function submit(
  send: Send,
  options: SubmitOptions,
  clock: Clock,
  stop: AbortSignal,
  progress: (sent: number, outcomes: OutcomeCounts) => void,
): Promise<SubmitResult> {
  const { plan, concurrency, rate, newRequestId } = options;
  const batch = Math.min(options.batch, concurrency);
  const outcomes = noOutcomes();
  const latencies = createHistogram();
  const started = clock.now();
  // `wake` is called when a send has ended. A race over all sends in flight would cost as many steps as there are, for each.
  const flight = { next: 0, count: 0, lost: null as unknown, wake: (): void => undefined };
  const nextEnd = (): Promise<void> => new Promise((resolve) => (flight.wake = resolve));
  const due = (): number => (rate === null ? plan.requests : Math.ceil(((clock.now() - started + SLICE_MS) / 1_000) * rate));

  const sendSlice = async (from: number, size: number): Promise<void> => {
    const requests: AdmissionRequest[] = [];
    for (let i = from; i < from + size; i++) requests.push({ userId: plan.userOf(i), requestId: newRequestId() });
    const sentMs = clock.now();
    try {
      for (const { outcome, ms } of await send(requests)) {
        outcomes[outcome] += 1;
        if (outcome !== 'unknown' && outcome !== 'unsent') latencies.record(Math.max(1, Math.round(1e3 * (ms ?? clock.now() - sentMs))));
      }
    } catch (error) {
      flight.lost ??= error;
      outcomes.unknown += size;
    }
    flight.count -= size;
    progress(flight.next, outcomes);
    flight.wake();
  };

  while (flight.next < plan.requests && !stop.aborted && flight.lost === null) {
    const size = Math.min(batch, concurrency - flight.count, plan.requests - flight.next, due() - flight.next);
    if (size > 0) {
      void sendSlice(flight.next, size);
      flight.next += size;
      flight.count += size;
    } else if (flight.count >= concurrency) {
      await nextEnd();
    } else {
      await clock.sleep(SLICE_MS, stop);
    }
  }
  while (flight.count > 0) await nextEnd();
  const { next, lost } = flight;
  if (lost !== null && !(lost instanceof CouponError)) throw lost;

  outcomes.unsent += plan.requests - next;
  const seconds = (clock.now() - started) / 1_000;
  // A millionth of a second is all that was measured.
  const rounded = (value: number): number => Number(value.toFixed(6));
  const perSecond = rounded(seconds > 0 ? next / seconds : 0);
  return { requests: plan.requests, outcomes, seconds: rounded(seconds), perSecond, latencyMs: summaryOf(latencies), lost };
}

/** Microseconds in, milliseconds with two digits out. */
function summaryOf(latencies: RecordableHistogram): SubmitResult['latencyMs'] {
  if (latencies.count === 0) return null;
  const ms = (us: number): number => Math.round(us / 10) / 100;
  return { p50: ms(latencies.percentile(50)), p99: ms(latencies.percentile(99)), max: ms(latencies.max) };
}

export interface Patience {
  clock: Clock;
  stop: AbortSignal;
  /** Milliseconds for which a store that is away is asked again. */
  patienceMs: number;
}

const RETRY_MS = 200;

/**
 * Asks again while the store is away. The request ids make that harmless, and turn a lost reply into the answer that it was; it stays
 * unknown where Redis cannot say any more.
 */
export function sendWithRetry(send: Send, { clock, stop, patienceMs }: Patience): Send {
  return async (requests) => {
    let lost = false;
    const failed = (error: unknown): void => void (lost ||= isReplyLost(error));
    const policy = { retries: isOutage, delayMs: () => RETRY_MS, patienceMs, stop, failed };
    const answers = await retry(async () => send(requests), policy, clock);
    return lost ? answers.map((answer) => (leavesOpen(answer) ? { outcome: 'unknown' as const } : answer)) : answers;
  };
}
