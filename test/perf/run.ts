/**
 * `npm run perf`: speed as ratios and spreads from one run. Every figure is taken beside its reference, turn by turn, so that a slow or
 * busy machine moves both. Prints the medians, writes them to `perf.json`, and exits with 1 when one leaves its bound.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { admission } from './admission.ts';
import { auditLive } from './audit-live.ts';
import { auditAtScale } from './audit-scale.ts';
import { calls, topCalls } from './calls.ts';
import { clusterCpu } from './cluster.ts';
import { crowd } from './endpoint/crowd.ts';
import { cpuPerRequest } from './cpu.ts';
import { drainFlat } from './drain-flat.ts';
import { drainWorkers } from './drain-workers.ts';
import { durability } from './endpoint/durability.ts';
import { endpoint } from './endpoint/endpoint.ts';
import { fresh } from './endpoint/fresh.ts';
import { evenness } from './evenness.ts';
import { FULL, keepsBound, QUICK, type Effort, type Figure } from './figures.ts';
import { plantedLatencies, stall } from './latencies.ts';
import { memory } from './memory.ts';
import { line, writeJson, writeTable } from './sheet.ts';
import { startup } from './startup.ts';

const MEASUREMENTS: Record<string, (effort: Effort) => Figure[] | Promise<Figure[]>> = {
  startup,
  endpoint,
  admission,
  drain: drainFlat,
  'drain-workers': drainWorkers,
  fresh,
  crowd,
  durability,
  memory,
  calls,
  'calls-top': topCalls,
  latencies: plantedLatencies,
  evenness,
  stall,
  cpu: cpuPerRequest,
  cluster: clusterCpu,
  'audit-scale': auditAtScale,
  'audit-live': auditLive,
};

const USAGE = `npm run perf -- [--only NAME[,NAME]] [--quick] [--docs] [--out FILE]
  --only    ${Object.keys(MEASUREMENTS).join(', ')}
  --quick   fewer and shorter rounds: for a look, not for a judgement
  --docs    write the table of docs/growing.md
  --out     where the figures go as JSON (perf.json)`;

function options(): { names: string[]; quick: boolean; docs: boolean; out: string } {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: { type: 'boolean' }, docs: { type: 'boolean' }, out: { type: 'string' } },
  });
  const names = values.only?.split(',') ?? Object.keys(MEASUREMENTS);
  const unknown = names.find((name) => !(name in MEASUREMENTS));
  if (unknown !== undefined) throw new Error(`there is no measurement "${unknown}"`);
  return { names, quick: values.quick ?? false, docs: values.docs ?? false, out: values.out ?? 'perf.json' };
}

async function main(): Promise<number> {
  let chosen;
  try {
    chosen = options();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { names, quick, docs, out } = chosen;
  const figures: Figure[] = [];
  for (const name of names) {
    for (const figure of await MEASUREMENTS[name]!(quick ? QUICK : FULL)) {
      figures.push(figure);
      console.log(line(figure));
    }
  }
  writeJson(out, quick ? 'quick' : 'full', figures);
  if (docs) writeTable(fileURLToPath(new URL('../../docs/growing.md', import.meta.url)), figures);
  return figures.every(keepsBound) ? 0 : 1;
}

process.exitCode = await main();
