import { readFileSync } from 'node:fs';

/** Linux counts in these, on every machine that Node runs on. */
const TICK_US = 10_000;

/** Processor time that a process has used so far, microseconds. Linux. */
export function processorUs(pid: number): number {
  // The name of the program may hold blanks; it ends with the last parenthesis.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}
