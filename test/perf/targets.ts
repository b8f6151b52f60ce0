import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../../src/bench/ports.ts';
import { loadPlan, runLoad } from '../bench/load/plans.ts';
import type { TestLoad } from '../bench/load/plans.ts';
import type { ResponderOptions } from './responder.ts';

/** A responder in a process of its own; it ends with the scope. */
export async function responder(options: ResponderOptions): Promise<AsyncDisposable & { url: string }> {
  const child = fork(fileURLToPath(new URL('responder.ts', import.meta.url)), [JSON.stringify(options)]);
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** One load on a fresh responder. */
export async function loadOn(options: ResponderOptions, load: TestLoad): Promise<LoadResult> {
  await using target = await responder(options);
  // Awaited here: the responder must not be disposed of before the load has ended.
  return await runLoad(loadPlan(target.url, load));
}
