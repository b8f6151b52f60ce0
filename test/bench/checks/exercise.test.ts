/** What each check takes to be able to fail, taken from it one thing at a time. */
import { describe, expect, test } from 'vitest';
import { checkIntegrity } from '../../../src/bench/checks/checker.ts';
import { demandOf } from '../../../src/bench/checks/demand.ts';
import { CHECKS, type CheckName } from '../../../src/bench/checks/integrity.ts';
import { verdictOf, type Verdict } from '../../../src/bench/report/verdict.ts';
import { correctRun, evidenceOf, recordOf, rush, type Ask, type Run } from './bench-model.ts';

const again = (asks: readonly Ask[], user: number, requestId: number, sentUs = 50_000): Ask[] => [
  ...asks,
  { user, sentUs, decidedUs: sentUs + 100, doneUs: sentUs + 200, requestId },
];

/** 30 coupons, 100 users, one of whom asks twice: every check could fail. */
const contested = (): Run => correctRun(30, 100, again(rush(100), 3, 900));

function judge(run: Run, skip: CheckName[] = []): { untested: string[]; integrity: Verdict['integrity']; exitCode: number } {
  const [record, evidence] = [recordOf(run), [evidenceOf(run)]];
  const integrity = checkIntegrity(record, evidence, run.users);
  const demand = demandOf(record, evidence);
  const { verdict, exitCode } = verdictOf({ integrity, skip, thresholds: [], demand, targetLost: false, interrupted: null });
  const untested = integrity.filter(({ status }) => status === 'not_exercised').map(({ check, reason }) => `${check} ${reason}`);
  return { untested, integrity: verdict.integrity, exitCode };
}

test('a contested sale is proven: every check passed and could have failed', () => {
  expect(judge(contested())).toEqual({ untested: [], integrity: 'pass', exitCode: 0 });
});

describe('what the scenario by its own numbers does not test is held', () => {
  test.each<[string, Run, string[]]>([
    [
      'fewer users than coupons',
      correctRun(500, 100, again(rush(100), 3, 900)),
      [
        'issued_within_total FEWER_USERS_THAN_COUPONS',
        'issued_were_accepted FEWER_USERS_THAN_COUPONS',
        'sold_out_when_gone FEWER_USERS_THAN_COUPONS',
      ],
    ],
    ['nobody asks twice', correctRun(30, 100, rush(100)), ['one_per_user NOBODY_ASKS_TWICE']],
    [
      'no coupon left',
      correctRun(0, 100, again(rush(100), 3, 900)),
      [
        'one_per_user NO_COUPONS_LEFT',
        'accepted_are_issued NO_COUPONS_LEFT',
        'first_come_first_served NO_COUPONS_LEFT',
        'stock_adds_up NO_COUPONS_LEFT',
      ],
    ],
    ['all at the same time', correctRun(30, 100, again(rush(100, { gapUs: 0 }), 3, 900, 100)), ['first_come_first_served ALL_OVERLAPPED']],
  ])('%s', (_what, run, untested) => {
    expect(judge(run)).toEqual({ untested, integrity: 'held', exitCode: 0 });
  });
});

describe('what it meant to test and did not leaves the run inconclusive', () => {
  const withReplies = (change: (run: Run) => void): Run => {
    const run = contested();
    change(run);
    return run;
  };

  test.each<[string, Run, string[]]>([
    [
      'users who were never answered',
      withReplies((run) => {
        for (const one of run.requests) if (one.outcome === 'sold_out') Object.assign(one, { outcome: 'unknown', doneUs: Number.NaN });
      }),
      ['issued_within_total TOO_FEW_ANSWERED', 'issued_were_accepted TOO_FEW_ANSWERED', 'sold_out_when_gone TOO_FEW_ANSWERED'],
    ],
    [
      'second requests that were never sent',
      withReplies((run) => {
        for (const one of run.requests)
          if (one.requestId === 900) Object.assign(one, { outcome: 'unsent', sentUs: Number.NaN, doneUs: Number.NaN });
      }),
      ['one_per_user NOBODY_ANSWERED_TWICE'],
    ],
  ])('%s', (_what, run, untested) => {
    expect(judge(run)).toEqual({ untested, integrity: 'inconclusive', exitCode: 5 });
  });
});

test('a check that the scenario skips may stay untested', () => {
  expect(judge(correctRun(30, 100, rush(100)), ['one_per_user'])).toMatchObject({ integrity: 'pass' });
});

describe('a fault is never proven away, whatever the load leaves out', () => {
  const faults: [string, (run: Run) => void][] = [
    ['one coupon too many', (run) => run.rows.push({ user: 99, requestedUs: run.rows.at(-1)?.requestedUs ?? 1, turn: 99 })],
    ['a lost user', (run) => void (run.rows.shift(), run.hashes.shift())],
    ['a user with two rows', (run) => void (run.rows[0] && run.rows.push({ ...run.rows[0] }))],
    ['a coupon for a stranger', (run) => run.hashes.push(run.users.numberOf('stranger'))],
    ['stock that does not add up', (run) => void (run.stock += 3)],
  ];
  const loads: [string, () => Run][] = [
    ['contested', contested],
    ['with fewer users than coupons', () => correctRun(500, 100, again(rush(100), 3, 900))],
    ['without repeats', () => correctRun(30, 100, rush(100))],
    ['without stock', () => correctRun(0, 100, rush(100))],
    ['all at once', () => correctRun(30, 100, rush(100, { gapUs: 0 }))],
    ['with one user', () => correctRun(30, 1, rush(1))],
    ['with nobody', () => correctRun(30, 100, [])],
  ];

  test.each(loads.flatMap(([load, make]) => faults.map(([fault, plant]) => [fault, load, make, plant] as const)))(
    '%s, %s',
    (_fault, _load, make, plant) => {
      const run = make();
      plant(run);
      expect(judge(run).integrity).not.toBe('pass');
    },
  );

  test('and no load that leaves something out is proven', () => {
    const verdicts = loads.map(([load, make]) => [load, judge(make()).integrity]);
    expect(verdicts.filter(([, integrity]) => integrity === 'pass')).toEqual([['contested', 'pass']]);
    expect(CHECKS).toHaveLength(7);
  });
});
