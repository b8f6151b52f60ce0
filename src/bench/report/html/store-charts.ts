/** Charts of the stock and the queue: counted where the report has that (see `../flow.ts`), from samples of the stores where it has not. */
import type { CouponFlow, Flow } from '../flow.ts';
import type { BenchReport, CouponOutcome, StoreSample } from '../report.ts';
import { brokenAtGaps, samplingText } from '../sampling.ts';
import { figure, number, plural } from '../../../lib/text/figures.ts';
import type { Chart, Series } from './chart.ts';

/** More coupons than this would be more charts than anybody looks at; the table has them all. */
const MAX_COUPONS = 6;

const series = (label: string, colour: string, dash: number[] = [], width = 2): Series => ({ label, colour, dash, width });
const LIMIT = series('limit', '--text', [3, 5], 1.5);
const ISSUED = series('issued', '--accepted');
const LEFT = series('left in stock', '--sold-out', [8, 4]);

/** For each coupon: what is left and what is issued, against the limit. */
export function stockCharts({ flow, samples, coupons }: BenchReport): Chart[] {
  return coupons.slice(0, MAX_COUPONS).flatMap((coupon, index) => {
    const id = `stock-${index}`;
    const title = coupons.length > 1 ? `Stock and issued: ${coupon.couponId}` : 'Stock and issued';
    const own = samples.filter((sample) => sample.couponId === coupon.couponId);
    const counted = flow?.coupons[index];
    if (!flow || !counted) return own.length === 0 ? [] : [sampledStock(own, coupon, id, title)];
    const chart = countedStock(flow, counted, coupon, id, title);
    const sampled = own.some(({ issued }) => issued !== null);
    return counted.issued === null && sampled ? [chart, sampledIssued(own, coupon, index, coupons.length)] : [chart];
  });
}

/** Accepted users without a coupon yet, of all coupons together. */
export function queueChart({ flow, samples, coupons }: BenchReport): Chart | null {
  if (flow?.waiting) return countedQueue(flow, flow.waiting);
  return sampledQueue(samples, coupons.length);
}

function countedStock(
  { stepSeconds, untold, clockBehindMs }: Flow,
  { stock, accepted, issued }: CouponFlow,
  coupon: CouponOutcome,
  id: string,
  title: string,
): Chart {
  const left = stock - accepted.at(-1)!;
  const by = `Counted, not sampled: accepted by the record of every request${issued ? `, issued by the times in the ledger${behind(clockBehindMs)}` : ''}.`;
  const others = issued && untold > 0 ? ` ${plural(untold, 'user')} saw no reply that said so, and count as accepted when issued.` : '';
  const store = coupon.stock !== null && coupon.stock !== left ? ` The store says ${number(coupon.stock)} are left.` : '';
  return {
    id,
    title,
    summary: `Limit ${number(stock)}; in the end ${number(accepted.at(-1)!)} accepted${issued ? `, ${number(issued.at(-1)!)} issued` : ''}, ${number(left)} left.${store} ${by}${others}`,
    ...countOf('coupons'),
    series: issued ? [LIMIT, ISSUED, LEFT] : [LIMIT, LEFT],
    data: [
      accepted.map((_, step) => secondOf(step, stepSeconds)),
      accepted.map(() => stock),
      ...(issued ? [issued] : []),
      accepted.map((count) => stock - count),
    ],
  };
}

function countedQueue({ stepSeconds, clockBehindMs }: Flow, { users: waiting, most, mostSecond }: NonNullable<Flow['waiting']>): Chart {
  const peak = most === 0 ? 'none at any moment' : `at most ${number(most)}, at ${figure(mostSecond)} s`;
  return {
    id: 'queue',
    title: 'Queue',
    summary: `Accepted users without a coupon yet: ${peak}; ${number(waiting.at(-1)!)} in the end. Counted, not sampled: from the reply until the time in the ledger${behind(clockBehindMs)}.`,
    ...countOf('users'),
    series: [series('waiting for a coupon', '--duplicate')],
    data: [waiting.map((_, step) => secondOf(step, stepSeconds)), waiting],
  };
}

function sampledStock(own: readonly StoreSample[], { total, issued, stock }: CouponOutcome, id: string, title: string): Chart {
  const seconds = own.map(({ second }) => second);
  const [x, ...lines] = brokenAtGaps([seconds, own.map((sample) => sample.issued), own.map((sample) => sample.stock)]);
  return {
    id,
    title,
    summary: `Limit ${number(total)}; in the end ${issued === null ? 'an unknown number' : number(issued)} issued, ${stock === null ? 'stock unknown' : `${number(stock)} left`}. Lines are ${samplingText(seconds)}.`,
    ...countOf('coupons'),
    series: [LIMIT, ISSUED, LEFT],
    data: [x!, x!.map(() => total), ...lines],
  };
}

function sampledIssued(own: readonly StoreSample[], { couponId, issued }: CouponOutcome, index: number, coupons: number): Chart {
  const seconds = own.map(({ second }) => second);
  return {
    id: `issued-${index}`,
    title: coupons > 1 ? `Issued: ${couponId}` : 'Issued',
    summary: `In the end ${issued === null ? 'an unknown number' : number(issued)}. The line is ${samplingText(seconds)}.`,
    ...countOf('coupons'),
    series: [ISSUED],
    data: brokenAtGaps([seconds, own.map((sample) => sample.issued)]),
  };
}

function sampledQueue(samples: readonly StoreSample[], coupons: number): Chart | null {
  const readings = new Map<number, StoreSample[]>();
  for (const sample of samples) readings.set(sample.second, [...(readings.get(sample.second) ?? []), sample]);
  // A reading that missed a coupon says nothing about the sum.
  const whole = [...readings].filter(([, looks]) => looks.length === coupons);
  if (whole.length === 0) return null;
  const seconds = whole.map(([second]) => second);
  const sum = (of: (sample: StoreSample) => number): number[] => whole.map(([, looks]) => looks.reduce((all, look) => all + of(look), 0));
  const [waiting, claimed] = [sum((look) => look.waiting), sum((look) => look.claimed)];
  const depths = waiting.map((count, index) => count + claimed[index]!);
  const most = depths.reduce((largest, depth) => Math.max(largest, depth), 0);
  return {
    id: 'queue',
    title: 'Queue',
    summary: `Accepted users without a coupon yet: seen at most ${number(most)} waiting (${samplingText(seconds)}); ${number(depths.at(-1)!)} at the last sample.`,
    ...countOf('users'),
    stacked: true,
    series: [series('waiting', '--duplicate'), series('claimed by a worker', '--unavailable', [8, 4])],
    data: brokenAtGaps([seconds, waiting, claimed]),
  };
}

function countOf(label: string): Pick<Chart, 'x' | 'y' | 'stacked'> {
  return { x: 'seconds', y: { label, log: false }, stacked: false };
}

function behind(ms: number): string {
  return ms < 10 ? '' : ` (its clock is at least ${figure(ms)} ms behind)`;
}

/** A decimal number: 0.15, not 0.15000000000000002. */
function secondOf(step: number, stepSeconds: number): number {
  return Number((step * stepSeconds).toFixed(2));
}
