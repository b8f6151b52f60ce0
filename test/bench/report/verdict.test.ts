import { describe, expect, test } from 'vitest';
import type { Demand } from '../../../src/bench/checks/demand.ts';
import type { CheckResult } from '../../../src/bench/checks/integrity.ts';
import { noOutcomes } from '../../../src/campaign/outcome.ts';
import type { OutcomeCounts } from '../../../src/campaign/outcome.ts';
import type { ThresholdResult } from '../../../src/bench/scenario/thresholds.ts';
import { verdictOf } from '../../../src/bench/report/verdict.ts';
import type { VerdictInput } from '../../../src/bench/report/verdict.ts';

const check = (status: CheckResult['status']): CheckResult => {
  return { check: 'stock_adds_up', couponId: 'c', status, reason: null, count: 0, sample: [], facts: {} };
};

const demand = (outcomes: Partial<OutcomeCounts>, changes: Partial<Demand> = {}): Demand => {
  const { accepted = 0 } = outcomes;
  const counts = { ...noOutcomes(), ...outcomes };
  return { couponId: 'c', left: 100, asked: 600, accepted, outcomes: counts, ...changes };
};

const threshold = (metric: string, expr: string, ok = true): ThresholdResult => ({ metric, expr, actual: 0, ok });

function judged(input: Partial<VerdictInput>): { codes: string[]; integrity: string; exitCode: number } {
  const { verdict, exitCode } = verdictOf({
    integrity: [check('pass')],
    skip: [],
    thresholds: [],
    demand: [demand({ accepted: 100, sold_out: 500 })],
    targetLost: false,
    interrupted: null,
    ...input,
  });
  return { codes: (verdict.reasons ?? []).map(({ code }) => code), integrity: verdict.integrity, exitCode };
}

test('a sale that sold out, with every check passed, is proven', () => {
  expect(judged({})).toEqual({ codes: [], integrity: 'pass', exitCode: 0 });
});

test('a coupon without stock of which everybody heard "sold out" is proven', () => {
  expect(judged({ demand: [demand({ sold_out: 600 }, { left: 0 })] })).toMatchObject({ integrity: 'pass', exitCode: 0 });
});

describe('nothing is proven', () => {
  test.each<[string, Demand, string[]]>([
    ['when nobody was accepted although there was stock', demand({ sold_out: 600 }), ['NOTHING_ACCEPTED']],
    ['when every reply is unexpected', demand({ unexpected: 600 }), ['NOTHING_ACCEPTED', 'UNEXPLAINED_REPLIES', 'MOSTLY_UNDECIDED']],
    ['when every reply says unavailable', demand({ unavailable: 600 }), ['NOTHING_ACCEPTED', 'MOSTLY_UNDECIDED']],
    ['when every request is unknown', demand({ unknown: 600 }), ['NOTHING_ACCEPTED', 'MOSTLY_UNDECIDED']],
    ['when one reply of a sale stays unexplained', demand({ accepted: 100, sold_out: 499, unexpected: 1 }), ['UNEXPLAINED_REPLIES']],
    ['when a reply knows no such coupon', demand({ accepted: 100, sold_out: 499, unknown_coupon: 1 }), ['UNEXPLAINED_REPLIES']],
    ['when a limiter broke the sale off', demand({ accepted: 30, unavailable: 250, duplicate: 320 }), ['SALE_UNFINISHED']],
    ['when a firewall that says 403 broke the sale off', demand({ accepted: 30, not_open: 570 }), ['SALE_UNFINISHED']],
    ['when nearly all were turned away after it sold out', demand({ accepted: 100, unavailable: 500 }), ['MOSTLY_UNDECIDED']],
  ])('%s', (_, one, codes) => {
    expect(judged({ demand: [one] })).toEqual({ codes, integrity: 'inconclusive', exitCode: 5 });
  });

  test('when one of two coupons was never sold', () => {
    expect(judged({ demand: [demand({ accepted: 100, sold_out: 500 }), demand({ sold_out: 600 }, { couponId: 'd' })] })).toMatchObject({
      codes: ['NOTHING_ACCEPTED'],
      exitCode: 5,
    });
  });
});

describe('a threshold of the scenario that is met allows it', () => {
  test.each<[string, ThresholdResult[], Demand]>([
    ['a few errors', [threshold('outcome_unexpected', 'count<5')], demand({ accepted: 100, sold_out: 498, unexpected: 2 })],
    ['failed requests', [threshold('http_req_failed', 'rate<0.1')], demand({ accepted: 100, sold_out: 498, unexpected: 2 })],
    ['refusals by a limiter', [threshold('outcome_unavailable', 'rate<0.9')], demand({ accepted: 30, unavailable: 570 })],
    ['that nobody gets in', [threshold('outcome_accepted', 'count==0')], demand({ not_open: 600 })],
  ])('%s', (_, thresholds, one) => {
    expect(judged({ thresholds, demand: [one] })).toEqual({ codes: [], integrity: 'pass', exitCode: 0 });
  });

  test('one that is missed allows nothing, and 5 outranks 99', () => {
    const missed = threshold('outcome_unexpected', 'count==0', false);
    expect(judged({ thresholds: [missed], demand: [demand({ accepted: 100, sold_out: 498, unexpected: 2 })] }).exitCode).toBe(5);
  });

  test('an upper bound on the accepted does not mean that none are wanted', () => {
    const most = threshold('outcome_accepted', 'count<=100');
    expect(judged({ thresholds: [most], demand: [demand({ sold_out: 600 })] }).exitCode).toBe(5);
  });
});

describe('precedence', () => {
  const lost = { targetLost: true, demand: [demand({ accepted: 3, unsent: 597 })] };

  test('a lost service is not proven, and exit 3', () => {
    expect(judged(lost)).toEqual({ codes: ['TARGET_LOST'], integrity: 'inconclusive', exitCode: 3 });
  });

  test('a lost service that accepted nobody is exit 3 all the same', () => {
    expect(judged({ targetLost: true, demand: [demand({ unsent: 600 }, { asked: 0 })] })).toMatchObject({ exitCode: 3 });
  });

  test('4 before everything, then the signal, then 5, then 3', () => {
    expect(judged({ ...lost, integrity: [check('fail')], interrupted: 130 })).toEqual({ codes: [], integrity: 'fail', exitCode: 4 });
    expect(judged({ ...lost, interrupted: 143 }).exitCode).toBe(143);
    expect(judged({ ...lost, integrity: [check('not_checked')] }).exitCode).toBe(5);
  });

  test('a check that the scenario skips may stay open', () => {
    expect(judged({ integrity: [check('not_checked')], skip: ['stock_adds_up'] })).toMatchObject({ integrity: 'pass', exitCode: 0 });
  });
});
