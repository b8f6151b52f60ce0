import type { Row } from '../book.ts';

/** Answers of some time. */
export interface Window {
  requests: number;
  /** Accepted or refused for good: not unavailable, unsent or lost. */
  decided: number;
  /** Of decided ones, from asking to the answer. */
  p99Ms: number;
  /** The longest time in which nobody was accepted, microseconds. */
  longestGap: { fromUs: number; toUs: number };
}

const UNDECIDED = new Set(['unknown', 'unavailable', 'unsent']);

/** @param fromUs when the time began; left out: with the first who was accepted */
export function windowOf(rows: readonly Row[], fromUs?: number): Window {
  const decided = rows.filter(({ outcome }) => !UNDECIDED.has(outcome));
  const ms = decided.map(({ sentUs, doneUs }) => (doneUs - sentUs) / 1_000).toSorted((a, b) => a - b);
  let longestGap = { fromUs: 0, toUs: 0 };
  let lastUs = fromUs;
  for (const us of acceptedAt(rows)) {
    if (lastUs !== undefined && us - lastUs > longestGap.toUs - longestGap.fromUs) longestGap = { fromUs: lastUs, toUs: us };
    lastUs = us;
  }
  return { requests: rows.length, decided: decided.length, p99Ms: ms[Math.floor(ms.length * 0.99)] ?? Number.NaN, longestGap };
}

/** When users were accepted, in order, microseconds. */
export function acceptedAt(rows: readonly Row[]): number[] {
  return rows
    .filter(({ outcome }) => outcome === 'accepted')
    .map(({ doneUs }) => doneUs)
    .toSorted((a, b) => a - b);
}
