import type { Trip } from '../../operate/doctor/ports.ts';

const ASKED = 15;

/** Asks a server for its time, again and again. @param ask milliseconds since 1970, as its clock has them */
export async function trips(ask: () => Promise<number>): Promise<Trip> {
  const found: { tookMs: number; aheadMs: number }[] = [];
  for (let left = ASKED; left > 0; left -= 1) {
    const [before, begin] = [now(), performance.now()];
    const there = await ask();
    const tookMs = performance.now() - begin;
    found.push({ tookMs, aheadMs: there - (before + tookMs / 2) });
  }
  // The first one may have made a connection or a plan. What came back soonest says most about the clock.
  const sorted = found.slice(1).toSorted((a, b) => a.tookMs - b.tookMs);
  const quickest = sorted[0]!;
  return {
    medianMs: sorted[Math.floor(sorted.length / 2)]!.tookMs,
    worstMs: sorted.at(-1)!.tookMs,
    aheadMs: quickest.aheadMs,
    exactToMs: quickest.tookMs / 2,
  };
}

/** Finer than Date.now(). */
function now(): number {
  return performance.timeOrigin + performance.now();
}
