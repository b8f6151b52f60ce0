import { describe, expect, test } from 'vitest';
import { checkIntegrity } from '../../../src/bench/checks/checker.ts';
import type { CheckName, CheckResult } from '../../../src/bench/checks/integrity.ts';
import { plantedServer } from './planted-servers.ts';
import type { Fault } from './planted-servers.ts';
import { loadPlan, runLoad } from './plans.ts';

const TOTAL = 100;

/** A real load by the real driver, many of whose users ask twice; then the checker. */
async function rush(fault: Fault): Promise<Record<CheckName, CheckResult>> {
  await using server = await plantedServer(fault, TOTAL);
  const plan = loadPlan(server.url, { users: 400, vus: 20, duplicateRate: 0.5, total: TOTAL });
  const { record, outcomes } = await runLoad(plan);
  expect(outcomes.unknown + outcomes.unsent + outcomes.unexpected).toBe(0);
  const results = checkIntegrity(record, [server.evidence(plan.users)], plan.users);
  return Object.fromEntries(results.map((result) => [result.check, result])) as Record<CheckName, CheckResult>;
}

const failed = (results: Record<CheckName, CheckResult>): string[] =>
  Object.values(results)
    .filter((result) => result.status === 'fail' || result.status === 'not_checked')
    .map((result) => `${result.check} ${result.reason}`);

test('a correct service raises no alarm', async () => {
  for (let run = 0; run < 5; run += 1) expect(failed(await rush('correct'))).toEqual([]);
});

describe('a planted fault is caught, and users are named', () => {
  test.each<[Fault, CheckName, string]>([
    ['three_calls', 'sold_out_when_gone', 'SOLD_OUT_TOO_EARLY'],
    ['newest_first', 'first_come_first_served', 'SERVED_OUT_OF_ORDER'],
    ['newest_first_renumbered', 'first_come_first_served', 'OVERTAKEN'],
    ['double_issue', 'one_per_user', 'ISSUED_TWICE_IN_LEDGER'],
    ['lost_acceptance', 'accepted_are_issued', 'ACCEPTED_NOT_ISSUED'],
    ['pop_then_insert', 'accepted_are_issued', 'ACCEPTED_NOT_ISSUED'],
    ['over_issue', 'issued_within_total', 'LEDGER_OVER_TOTAL'],
    ['early_sold_out', 'sold_out_when_gone', 'SOLD_OUT_TOO_EARLY'],
    ['issues_to_refused', 'issued_were_accepted', 'ISSUED_TO_REFUSED'],
  ])('%s: %s %s', async (fault, check, reason) => {
    const results = await rush(fault);
    expect(results[check]).toMatchObject({ status: 'fail', reason });
    expect(results[check].count).toBeGreaterThan(0);
    expect(results[check].sample[0]).toMatch(/^user-\d+$/);
  });

  test('three calls also leave a stock that does not add up, and coupons that no user has', async () => {
    const results = await rush('three_calls');
    expect(results.stock_adds_up).toMatchObject({ status: 'fail', reason: 'STOCK_DOES_NOT_ADD_UP' });
  });
});
