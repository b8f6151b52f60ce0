/**
 * Speed as ratios and spreads from one run: every figure is taken beside its reference, turn by turn, so that a slow or busy
 * machine moves both. Prints the medians and exits with 1 when one leaves its bound. Names as arguments run only those.
 */
import { auditLive } from './audit-live.ts';
import { auditAtScale } from './audit-scale.ts';
import { cpuPerRequest } from './cpu.ts';
import { drainFlat } from './drain-flat.ts';
import { evenness } from './evenness.ts';
import type { Figure } from './figures.ts';
import { plantedLatencies, stall } from './latencies.ts';
import { startup } from './startup.ts';

const MEASUREMENTS: Record<string, () => Figure[] | Promise<Figure[]>> = {
  startup,
  latencies: plantedLatencies,
  evenness,
  stall,
  cpu: cpuPerRequest,
  'drain-flat': drainFlat,
  'audit-scale': auditAtScale,
  'audit-live': auditLive,
};

const wanted = process.argv.slice(2);
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const { name: what, value, bound, detail } of await measure()) {
    const ok = value <= bound;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${what} = ${value.toFixed(3)} (at most ${bound}; ${detail})`);
    if (!ok) process.exitCode = 1;
  }
}
