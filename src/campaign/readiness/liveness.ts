/** When a loop last moved. */
export interface Liveness {
  alive: boolean;
  /** Milliseconds since the last sign of life; 0 before the first pass. */
  quietMs: number;
  /** Milliseconds without one after which it is taken for hung. */
  limitMs: number;
}

/** Connecting to a store takes at most 5 s, and so does a command of Redis. */
const STORE_TIMEOUTS_MS = 10_000;

/** How long the ledger may take over a batch: time is left to acknowledge it, or to give it back, before others may claim the same users. */
export function ledgerLimitMs(leaseMs: number): number {
  return leaseMs / 3;
}

/**
 * How long a drain may be quiet: three intervals, but never less than one step of a pass may take that is merely slow. The
 * longest is a batch that waits for a lock in the ledger.
 */
export function quietLimitMs({ intervalMs, leaseMs }: { intervalMs: number; leaseMs: number }): number {
  return Math.max(3 * intervalMs, ledgerLimitMs(leaseMs) + STORE_TIMEOUTS_MS);
}

/** @param lastMs of the last sign of life, on the clock of `nowMs`; null: passes have not begun, for want of stores */
export function liveness(lastMs: number | null, nowMs: number, limitMs: number): Liveness {
  const quietMs = lastMs === null ? 0 : Math.max(0, nowMs - lastMs);
  return { alive: quietMs <= limitMs, quietMs, limitMs };
}
