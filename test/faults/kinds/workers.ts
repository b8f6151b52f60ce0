import type { Random, Rig } from '../fault.ts';

/**
 * In every second case, stops the workers until the returned function is called. What Redis then loses it alone knew; if the workers go
 * on, it loses for the most part what the ledger has already.
 */
export function perhapsHoldWorkers({ drains }: Rig, random: Random): () => void {
  if (random.next() < 0.5) return () => undefined;
  for (const drain of drains) drain.pause();
  return () => {
    for (const drain of drains) drain.resume();
  };
}
