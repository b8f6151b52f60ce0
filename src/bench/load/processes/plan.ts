/** One load cut into parts for several processes: by ranges of users, so that no user is in two of them. */
import type { LoadPlan } from '../../ports.ts';
import { usageError } from '../../../lib/errors.ts';
import { isOpen, type Phase } from '../../plan/phase.ts';
import type { Stage } from '../../plan/stages.ts';
import { UserDirectory, type RequestPlan, type UsersPart } from '../../plan/user-plan.ts';

/** A {@link LoadPlan} as plain data, for another process. Users are numbered from 0 within the part. */
export interface PlanPart extends Omit<LoadPlan, 'users' | 'abortOn'> {
  users: UsersPart;
}

export interface SplitPlan {
  /** The requests of the whole plan. */
  requests: RequestPlan;
  parts: PlanPart[];
  /** For each part, the row of the whole plan that each of its rows is. */
  rows: Uint32Array[];
}

/**
 * Users, virtual users and rates are shared out evenly. Requests follow their users, in their order; a request keeps its id, and
 * so its idempotency key, whichever process sends it.
 *
 * @throws CouponError `BENCH_PROCESSES` when there is less than one virtual user or user for each, or a threshold that would
 *   have to be judged over all of them while the load runs
 */
export function splitPlan(plan: LoadPlan, processes: number): SplitPlan {
  const least = Math.min(plan.users.planned, ...plan.phases.map((phase) => phase.vus));
  if (least < processes) {
    throw usageError(
      'BENCH_PROCESSES',
      `--processes ${processes} is too many for this scenario`,
      `Each needs a virtual user in every phase: use at most ${least}.`,
    );
  }
  if (plan.abortOn?.some((threshold) => threshold.abortAfterMs !== undefined)) {
    throw usageError(
      'BENCH_PROCESSES',
      'a threshold with abortOnFail is judged while the load runs, which one process of several cannot do',
      'Leave --processes out, or abortOnFail.',
    );
  }
  const share = (total: number, part: number): number =>
    Math.floor((total * (part + 1)) / processes) - Math.floor((total * part) / processes);
  const begins = Array.from({ length: processes + 1 }, (_, part) => Math.floor((plan.users.planned * part) / processes));
  const rows = Array.from({ length: processes }, (_, part) => rowsOf(plan.requests, begins[part]!, begins[part + 1]!));
  const parts = rows.map((own, part): PlanPart => {
    const { target, tls, request, followUps, shared, outcomes, issueId, couponIds, gracefulStopMs, requests, users } = plan;
    const from = begins[part]!;
    return {
      target,
      ...(tls ? { tls } : {}),
      request,
      ...(followUps ? { followUps } : {}),
      ...(shared ? { shared } : {}),
      outcomes,
      ...(issueId ? { issueId } : {}),
      couponIds,
      gracefulStopMs,
      requests: {
        length: own.length,
        user: own.map((row) => requests.user[row]! - from),
        coupon: Uint16Array.from(own, (row) => requests.coupon[row]!),
        requestId: own.map((row) => requests.requestId[row]!),
      },
      users: users.part(from, begins[part + 1]!),
      phases: phasesOf(plan.phases, own, (total) => share(total, part), processes),
    };
  });
  return { requests: plan.requests, parts, rows };
}

export function joinPart({ users, ...part }: PlanPart): LoadPlan {
  return { ...part, users: UserDirectory.ofPart(users) };
}

function rowsOf({ user, length }: RequestPlan, from: number, to: number): Uint32Array {
  const all = Uint32Array.from({ length }, (_, row) => row);
  return all.filter((row) => user[row]! >= from && user[row]! < to);
}

/** As long as all phases share iterations, each phase has the very requests that it would have in one process. */
function phasesOf(phases: readonly Phase[], own: Uint32Array, share: (total: number) => number, processes: number): Phase[] {
  let begin = 0;
  let exact = true;
  return phases.map((phase): Phase => {
    const vus = share(phase.vus);
    const leveled = (stages: readonly Stage[], level: (target: number) => number): Stage[] =>
      stages.map(({ durationMs, target }) => ({ durationMs, target: level(target) }));
    if (isOpen(phase)) {
      exact = false;
      const { startRate, stages } = phase.rate;
      const rate = { startRate: startRate / processes, stages: leveled(stages, (target) => target / processes) };
      return { ...phase, vus, rate, preAllocatedVus: Math.min(vus, share(phase.preAllocatedVus)) };
    }
    if (phase.executor !== 'shared-iterations') {
      exact = false;
      return { ...phase, vus, startVus: share(phase.startVus), stages: leveled(phase.stages, share) };
    }
    const end = begin + phase.iterations;
    const [first, last] = [begin, end];
    begin = end;
    const iterations = exact ? own.reduce((sum, row) => sum + Number(row >= first && row < last), 0) : share(phase.iterations);
    return { ...phase, vus, iterations };
  });
}
