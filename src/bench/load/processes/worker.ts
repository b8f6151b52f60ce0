/** One of several processes that make a load: what it is told, what it tells, and where its result lies. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { LoadProgress } from '../../ports.ts';
import { AutocannonDriver } from '../autocannon-driver.ts';
import type { CpuUsage } from '../generator-watch.ts';
import { columnsOf } from '../../record/record.ts';
import type { PartResult } from './merge-results.ts';
import { joinPart, type PlanPart } from './plan.ts';

export function writePart(dir: string, part: PlanPart): void {
  writeFileSync(join(dir, 'plan'), serialize(part));
}

export function readResult(dir: string): PartResult {
  return deserialize(readFileSync(join(dir, 'result'))) as PartResult;
}

export interface WorkerOptions {
  /** Has the part of the plan, and gets the result. */
  dir: string;
  signal: AbortSignal;
  /** Settles when all processes are ready. */
  go: Promise<void>;
  cpuUsage: CpuUsage;
  /** A clock that all processes of this machine share, milliseconds. */
  sharedMs: () => number;
  tell: (event: { event: 'ready' | 'done' } | ({ event: 'progress' } & LoadProgress)) => void;
}

/** Makes its part of the load. Large things go through files: a record of millions of requests is no line of text. */
export async function runWorker({ dir, signal, go, cpuUsage, sharedMs, tell }: WorkerOptions): Promise<void> {
  const plan = joinPart(deserialize(readFileSync(join(dir, 'plan'))) as PlanPart);
  // What the first request would otherwise wait for.
  await import('autocannon');
  tell({ event: 'ready' });
  await go;
  const { record, zeroMs, startedAt, planned, seconds, interrupted, targetLost, ranOut, unexplained, issueIds, generator } =
    await new AutocannonDriver({
      cpuUsage,
    }).run(plan, { signal, onProgress: (progress) => tell({ event: 'progress', ...progress }) });
  const result: PartResult = {
    record: columnsOf(record),
    zeroMs: zeroMs + sharedMs() - performance.now(),
    startedAtMs: startedAt.getTime(),
    planned,
    seconds,
    interrupted,
    targetLost,
    ranOut,
    unexplained,
    ...(issueIds ? { issueIds } : {}),
    generator,
  };
  writeFileSync(join(dir, 'result.new'), serialize(result));
  renameSync(join(dir, 'result.new'), join(dir, 'result'));
  tell({ event: 'done' });
}
