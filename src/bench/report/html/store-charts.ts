/** Charts of the stores: where the coupons went, and who still waited. */
import type { BenchReport } from '../report.ts';
import type { StoreSample } from '../report.ts';
import { number } from '../../../lib/text/figures.ts';
import type { Chart, Series } from './chart.ts';

/** More coupons than this would be more charts than anybody looks at; the table has them all. */
const MAX_COUPONS = 6;

const series = (label: string, colour: string, dash: number[] = [], width = 2): Series => ({ label, colour, dash, width });

/** For each coupon: what is left in Redis and what the ledger has issued, against the limit. */
export function stockCharts({ samples, coupons }: BenchReport): Chart[] {
  return coupons.slice(0, MAX_COUPONS).flatMap(({ couponId, total }, index) => {
    const own = samples.filter((sample) => sample.couponId === couponId);
    const last = own.at(-1);
    if (!last) return [];
    return {
      id: `stock-${index}`,
      title: coupons.length > 1 ? `Stock and issued: ${couponId}` : 'Stock and issued',
      summary: `Limit ${number(total)}; in the end ${last.issued === null ? 'an unknown number' : number(last.issued)} issued, ${last.stock === null ? 'stock unknown' : `${number(last.stock)} left`}.`,
      x: 'seconds',
      y: { label: 'coupons', log: false },
      stacked: false,
      series: [series('limit', '--text', [3, 5], 1.5), series('issued', '--accepted'), series('left in stock', '--sold-out', [8, 4])],
      data: [
        own.map((sample) => sample.second),
        own.map(() => total),
        own.map((sample) => sample.issued),
        own.map((sample) => sample.stock),
      ],
    };
  });
}

/** All coupons together. */
export function queueChart({ samples }: BenchReport): Chart | null {
  const seconds = [...new Set(samples.map((sample) => sample.second))];
  if (seconds.length === 0) return null;
  const waiting = sums(samples, (sample) => sample.waiting);
  const claimed = sums(samples, (sample) => sample.claimed);
  const depths = seconds.map((second) => waiting.get(second)! + claimed.get(second)!);
  return {
    id: 'queue',
    title: 'Queue',
    summary: `Accepted users without a coupon yet: at most ${number(depths.reduce((most, depth) => Math.max(most, depth), 0))}, ${number(depths.at(-1)!)} in the end.`,
    x: 'seconds',
    y: { label: 'users', log: false },
    stacked: true,
    series: [series('waiting', '--duplicate'), series('claimed by a worker', '--unavailable', [8, 4])],
    data: [seconds, seconds.map((second) => waiting.get(second)!), seconds.map((second) => claimed.get(second)!)],
  };
}

function sums(samples: readonly StoreSample[], value: (sample: StoreSample) => number): Map<number, number> {
  const bySecond = new Map<number, number>();
  for (const sample of samples) bySecond.set(sample.second, (bySecond.get(sample.second) ?? 0) + value(sample));
  return bySecond;
}
