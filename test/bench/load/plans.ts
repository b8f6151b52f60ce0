import type { LoadPlan, LoadResult } from '../../../src/bench/ports.ts';
import { OUTCOMES } from '../../../src/campaign/outcome.ts';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';
import { planRequests, UserDirectory } from '../../../src/bench/plan/user-plan.ts';
import { AutocannonDriver } from '../../../src/bench/load/autocannon-driver.ts';

export interface TestLoad {
  users?: number;
  vus?: number;
  timeout?: string;
  duplicateRate?: number;
  maxDuration?: string;
  gracefulStop?: string;
  total?: number;
  /** Instead of one phase of shared iterations. */
  phases?: object[];
  thresholds?: Record<string, unknown>;
}

/** A load on a test server: every user asks once for the coupon "c". */
export function loadPlan(target: string, load: TestLoad = {}): LoadPlan {
  const { users = 400, vus = 10, timeout = '5s', duplicateRate = 0, maxDuration = '50s', gracefulStop = '5s', total = 100 } = load;
  const { phases = [{ vus, maxDuration }], thresholds = {} } = load;
  const scenario = parseScenario(
    JSON.stringify({
      version: 1,
      name: 'test',
      coupons: [{ id: 'c', total }],
      request: { timeout },
      users: { count: users, duplicateRate },
      phases,
      thresholds,
      gracefulStop,
    }),
    'test.yaml',
  );
  return {
    target,
    request: scenario.request,
    outcomes: scenario.outcomes,
    couponIds: ['c'],
    phases: scenario.phases,
    requests: planRequests(scenario.users, 1, vus),
    users: new UserDirectory(scenario.users),
    gracefulStopMs: scenario.gracefulStopMs,
    abortOn: scenario.thresholds,
  };
}

export function runLoad(plan: LoadPlan, options: { signal?: AbortSignal; targetLostAfterMs?: number } = {}): Promise<LoadResult> {
  const { signal = new AbortController().signal, ...driver } = options;
  return new AutocannonDriver(driver).run(plan, { signal });
}

/** User ids by the outcome that the record has for them. */
export function usersByOutcome(plan: LoadPlan, { record }: LoadResult): Record<string, string[]> {
  const by: Record<string, string[]> = {};
  for (let row = 0; row < record.length; row += 1) (by[OUTCOMES[record.outcome[row]!]!] ??= []).push(plan.users.id(record.user[row]!));
  return by;
}
