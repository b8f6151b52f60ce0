/** Counters of one coupon at one reading; null: the store that counts was away. */
export interface Sample {
  clockMs: number;
  /** The life of the coupon: counters begin anew with each. */
  epoch: string;
  accepted: number | null;
  issued: number | null;
}

export type Counter = 'accepted' | 'issued';

/** Points of a history line. */
export const HISTORY = 60;
/** A drain issues in bursts, so a rate is that of this long. */
const RATE_MS = 10_000;

/** The samples with one more, as many as a history needs. */
export function nextSamples(before: readonly Sample[], sample: Sample): readonly Sample[] {
  const ofThisLife = before.at(-1)?.epoch === sample.epoch ? before : [];
  return [...ofThisLife, sample].slice(-(HISTORY + 1));
}

/** Over the last ten seconds, or over the last two samples where these are further apart; null: there are none. */
export function perSecond(samples: readonly Sample[], counter: Counter): number | null {
  const last = samples.at(-1);
  if (last?.[counter] == null) return null;
  let first: Sample | null = null;
  for (const sample of samples.slice(0, -1).toReversed()) {
    if (sample[counter] === null) break;
    first = sample;
    if (last.clockMs - sample.clockMs >= RATE_MS) break;
  }
  return first === null ? null : between(first, last, counter);
}

/** How long the samples have gone without a rise of this counter, ms; null: that cannot be said. */
export function stillMs(samples: readonly Sample[], counter: Counter): number | null {
  const last = samples.at(-1);
  if (last?.[counter] == null) return null;
  let since = last.clockMs;
  for (const sample of samples.toReversed()) {
    if (sample[counter] !== last[counter]) break;
    since = sample.clockMs;
  }
  return last.clockMs - since;
}

/** From one sample to the next. */
export function pointsOf(samples: readonly Sample[], counter: Counter): (number | null)[] {
  return samples.slice(1).map((sample, i) => between(samples[i]!, sample, counter));
}

/** Per second, to a tenth. A counter that falls (users dropped, Redis restored) is no negative rate. */
function between(from: Sample, to: Sample, counter: Counter): number | null {
  const [before, after] = [from[counter], to[counter]];
  if (before === null || after === null || to.clockMs <= from.clockMs) return null;
  return Math.max(0, Math.round(((after - before) / (to.clockMs - from.clockMs)) * 10_000) / 10);
}
