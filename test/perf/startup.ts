import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, type Figure } from './figures.ts';

const PAIRS = 21;
const bin = fileURLToPath(new URL('../../bin/coupon-cli.js', import.meta.url));

/** The command line answers at once: help takes less than twice what Node itself needs to start. */
export function startup(): Figure[] {
  const measured = [process.execPath, bin, '--help'];
  const reference = [process.execPath, '-e', '0'];
  wallMs(measured);
  wallMs(reference);
  const pairs = Array.from({ length: PAIRS }, () => [wallMs(measured), wallMs(reference)] as const);
  const [a, b] = [0, 1].map((side) => median(pairs.map((pair) => pair[side]!)).toFixed(1));
  const value = median(pairs.map(([one, other]) => one / other));
  return [
    { id: 'startup', name: 'coupon-cli --help : node -e 0', value, bound: { atMost: 2 }, detail: `medians of ${PAIRS}: ${a} ms, ${b} ms` },
  ];
}

/** Wall time of one whole process, milliseconds. */
function wallMs([command, ...args]: readonly string[]): number {
  const started = performance.now();
  const { status, error } = spawnSync(command!, args, { stdio: 'ignore' });
  if (error || status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} exited with ${status}`);
  return performance.now() - started;
}
