import type { AdmissionAnswer, AdmissionRequest } from '../core/admission.ts';
import { noOutcomes, type Outcome, type OutcomeCounts } from '../core/outcome.ts';
import type { SubmitPlan } from '../core/submit-plan.ts';

/** Sends requests on their way together; answers in the same order. */
export type Send = (requests: readonly AdmissionRequest[]) => Promise<readonly (AdmissionAnswer | { outcome: Outcome })[]>;

export interface SubmitOptions {
  plan: SubmitPlan;
  /** Requests in flight. */
  concurrency: number;
  /** Requests per second; null: as fast as the answers come. */
  rate: number | null;
  newRequestId: () => string;
}

export interface SubmitClock {
  /** Milliseconds, monotonic. */
  now(): number;
  sleep(ms: number, stop: AbortSignal): Promise<void>;
}

export interface SubmitResult {
  requests: number;
  outcomes: OutcomeCounts;
  seconds: number;
  perSecond: number;
}

/** With a rate, requests leave in slices of this length: short enough to look even, long enough to batch. */
const SLICE_MS = 10;

/**
 * Sends all requests of the plan in order, at most `concurrency` at a time. What an abort keeps back counts as `unsent`.
 * A failed send is `unknown`: it may or may not have been accepted.
 */
export async function submit(
  send: Send,
  options: SubmitOptions,
  clock: SubmitClock,
  stop: AbortSignal,
  progress: (sent: number, outcomes: OutcomeCounts) => void,
): Promise<SubmitResult> {
  const { plan, concurrency, rate, newRequestId } = options;
  const outcomes = noOutcomes();
  const started = clock.now();
  let next = 0;
  let failure: unknown;

  const due = (): number => (rate === null ? plan.requests : Math.ceil(((clock.now() - started + SLICE_MS) / 1_000) * rate));

  const lane = async (size: number): Promise<void> => {
    while (next < plan.requests && !stop.aborted) {
      const from = next;
      const until = Math.min(plan.requests, from + size, due());
      if (until <= from) {
        await clock.sleep(SLICE_MS, stop);
        continue;
      }
      next = until;
      const requests: AdmissionRequest[] = [];
      for (let i = from; i < until; i++) requests.push({ userId: plan.userOf(i), requestId: newRequestId() });
      try {
        for (const answer of await send(requests)) outcomes[answer.outcome] += 1;
      } catch (error) {
        failure ??= error;
        outcomes.unknown += requests.length;
      }
      progress(next, outcomes);
    }
  };

  // Two lanes keep the wire busy while one batch is being answered; a plan smaller than that needs one.
  const lanes = Math.min(2, concurrency, plan.requests);
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(Math.floor(concurrency / lanes) + (i < concurrency % lanes ? 1 : 0))));
  outcomes.unsent += plan.requests - next;
  // Nothing at all came through: that is a failure to be told, not a count.
  if (failure !== undefined && outcomes.unknown === next) throw failure;
  const seconds = (clock.now() - started) / 1_000;
  return { requests: plan.requests, outcomes, seconds, perSecond: seconds > 0 ? next / seconds : 0 };
}
