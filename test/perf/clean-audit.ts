import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditReport } from '../../src/audit/audit.ts';
import { start } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import type { OwnStores } from './own-stores.ts';

export interface CleanAudit {
  /** From the start of the process to its end. */
  seconds: number;
  /** Largest resident size, megabytes; 0 where there is no /proc. */
  peakMb: number;
  /** Rows that it counted. */
  issued: number;
}

export interface StartedAudit {
  child: ChildProcess;
  audited: Promise<CleanAudit>;
}

/** Runs `audit` as a process of its own. It finds nothing, or its figures would be worth nothing. */
export async function cleanAudit(stores: OwnStores, couponId: string): Promise<CleanAudit> {
  return startCleanAudit(stores, couponId).audited;
}

/** The same, for those who have something to do with the process meanwhile. */
export function startCleanAudit(stores: OwnStores, couponId: string): StartedAudit {
  const started = performance.now();
  const { child, finished } = start([...at(stores), '--json', 'audit', couponId]);
  const peak = peakMemory(child.pid!);
  const result = async (): Promise<CleanAudit> => {
    const { exitCode, stdout, stderr } = await finished;
    const seconds = (performance.now() - started) / 1_000;
    if (exitCode !== 0) throw new Error(`audit ended with ${exitCode}: ${stdout}${stderr}`);
    const { coupons } = JSON.parse(stdout) as AuditReport;
    return { seconds, peakMb: await peak, issued: coupons[0]!.issued };
  };
  return { child, audited: result() };
}

async function peakMemory(pid: number): Promise<number> {
  let peak = 0;
  // The kernel keeps the peak, so only the last milliseconds of the process can be missed.
  for (let size: number | null; (size = peakSoFar(pid)) !== null; await delay(20)) peak = size;
  return peak;
}

/** Null: the process has ended, or this system does not say. */
function peakSoFar(pid: number): number | null {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}
