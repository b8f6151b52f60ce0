/**
 * Speed as ratios from one run: every figure is taken beside its reference, turn by turn, so that a slow or busy machine moves
 * both. Prints the medians and exits with 1 when a ratio leaves its bound.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Ratio {
  name: string;
  bound: number;
  measured: readonly string[];
  reference: readonly string[];
}

const PAIRS = 21;
const bin = fileURLToPath(new URL('../../bin/coupon-cli.js', import.meta.url));

const RATIOS: readonly Ratio[] = [
  {
    name: 'coupon-cli --help : node -e 0',
    bound: 2,
    measured: [process.execPath, bin, '--help'],
    reference: [process.execPath, '-e', '0'],
  },
];

/** Wall time of one whole process, milliseconds. */
function wallMs([command, ...args]: readonly string[]): number {
  const started = performance.now();
  const { status, error } = spawnSync(command!, args, { stdio: 'ignore' });
  if (error || status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} exited with ${status}`);
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

for (const { name, bound, measured, reference } of RATIOS) {
  wallMs(measured);
  wallMs(reference);
  const pairs = Array.from({ length: PAIRS }, () => [wallMs(measured), wallMs(reference)] as const);
  const ratio = median(pairs.map(([a, b]) => a / b));
  const ok = ratio < bound;
  const [a, b] = [0, 1].map((side) => median(pairs.map((pair) => pair[side]!)).toFixed(1));
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} = ${ratio.toFixed(2)} (below ${bound}; medians of ${PAIRS}: ${a} ms, ${b} ms)`);
  if (!ok) process.exitCode = 1;
}
