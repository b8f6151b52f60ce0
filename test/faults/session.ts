import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../../src/lib/closers.ts';
import type { Ground } from './fault.ts';
import { OPENERS } from './grounds.ts';
import { openRig, type WholeRig } from './rig.ts';

/** Two stores and a rig on them. */
export interface Session<G extends Ground = Ground> extends AsyncDisposable {
  ground: G;
  rig: WholeRig<G>;
  /** The end of what each process said. */
  lastWords(): string;
  /** The logs stay when everything else goes. */
  keepLogs(): void;
  /** Where they are. */
  folder: string;
}

const LAST_LINES = 40;

export async function openSession<G extends Ground>(ground: G): Promise<Session<G>> {
  const closers = new Closers();
  const folder = mkdtempSync(join(tmpdir(), 'coupon-cli-faults-'));
  let keep = false;
  closers.add(() => keep || rmSync(folder, { recursive: true, force: true }));
  try {
    const rig = await openRig<G>(await OPENERS[ground](closers), folder, closers);
    return {
      ground,
      rig,
      folder,
      keepLogs: () => void (keep = true),
      lastWords: () =>
        rig.logs.map((log) => `== ${log}\n${readFileSync(log, 'utf8').split('\n').slice(-LAST_LINES).join('\n')}`).join('\n'),
      [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose](),
    };
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}
