import { describe, expect, test } from 'vitest';
import { queueChart, stockCharts } from '../../../src/bench/report/html/store-charts.ts';
import type { BenchReport } from '../../../src/bench/report/report.ts';
import { benchReport } from '../../support/bench-report.ts';

const counted = benchReport();

/** Nobody looked between second 5 and second 8. */
function withGap(changes: Partial<BenchReport> = {}): BenchReport {
  const sampled = benchReport({ sampled: true });
  return { ...sampled, samples: sampled.samples.filter(({ second }) => second <= 5 || second >= 8), ...changes };
}

describe('counted from the record and the ledger', () => {
  test('the stock is the limit less who was accepted, and the caption says so', () => {
    const [chart] = stockCharts(counted);
    const { accepted, issued } = counted.flow!.coupons[0]!;
    expect(chart!.data.slice(2)).toEqual([issued, accepted.map((count) => 300 - count)]);
    expect(chart!.data[3]!.at(-1)).toBe(0);
    expect(chart!.summary).toBe(
      'Limit 300; in the end 300 accepted, 300 issued, 0 left. Counted, not sampled: accepted by the record of every request, issued by the times in the ledger.',
    );
  });

  test('the most who waited is the truth of every moment', () => {
    const chart = queueChart(counted)!;
    const { most, mostSecond } = counted.flow!.waiting!;
    expect(most).toBeGreaterThanOrEqual(Math.max(...(chart.data[1] as number[])));
    expect(chart.summary).toMatch(
      new RegExp(`^Accepted users without a coupon yet: at most ${most}, at ${mostSecond.toPrecision(3)} s; 0 in the end. Counted`),
    );
    expect(chart.summary).not.toContain('sampled every');
  });

  test('a store that says something else is named', () => {
    const [chart] = stockCharts({ ...counted, coupons: [{ ...counted.coupons[0]!, stock: -37 }] });
    expect(chart!.summary).toContain('0 left. The store says -37 are left.');
  });

  test('without times of issue, the stock is counted all the same, and what was issued is sampled in a chart of its own', () => {
    const flow = { ...counted.flow!, waiting: null, coupons: counted.flow!.coupons.map((one) => ({ ...one, issued: null })) };
    const charts = stockCharts({ ...counted, flow });
    expect(charts.map(({ id }) => id)).toEqual(['stock-0', 'issued-0']);
    expect(charts[0]!.summary).toContain('accepted by the record of every request.');
    expect(charts[1]!.summary).toContain('sampled every 0.25 s, largest gap 0.25 s');
    expect(queueChart({ ...counted, flow })!.summary).toContain('seen at most');
  });
});

describe('from samples', () => {
  test('no line crosses a gap, and the caption says how large it was', () => {
    for (const { data, summary } of [stockCharts(withGap())[0]!, queueChart(withGap())!]) {
      const hole = data[0]!.indexOf(6.5);
      // The limit is known at every moment.
      expect(data.slice(-2).map((list) => list[hole])).toEqual([null, null]);
      expect(data.every((list) => list.length === data[0]!.length)).toBe(true);
      expect(summary).toContain('sampled every 0.25 s, largest gap 3 s');
    }
  });

  test('the most who waited is what was seen, and no more', () => {
    const report = withGap();
    const most = Math.max(...report.samples.map(({ waiting, claimed }) => waiting + claimed));
    expect(queueChart(report)!.summary).toBe(
      `Accepted users without a coupon yet: seen at most ${most} waiting (sampled every 0.25 s, largest gap 3 s); 0 at the last sample.`,
    );
  });

  test('a reading that missed one of two coupons is no reading of the queue', () => {
    const report = withGap();
    const other = report.samples.filter(({ second }) => second !== 2).map((sample) => ({ ...sample, couponId: 'd' }));
    const coupons = [report.coupons[0]!, { ...report.coupons[0]!, couponId: 'd' }];
    const chart = queueChart({ ...report, coupons, samples: [...report.samples, ...other] })!;
    expect(chart.data[0]).not.toContain(2);
    expect(chart.data[0]).toContain(2.25);
  });

  test('nothing was looked at: no chart', () => {
    expect(queueChart(withGap({ samples: [] }))).toBeNull();
    expect(stockCharts(withGap({ samples: [] }))).toEqual([]);
  });
});
