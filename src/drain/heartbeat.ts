import { liveness, quietLimitMs, type Liveness } from '../campaign/readiness/liveness.ts';
import type { DrainPorts } from './ports.ts';

/** Whether a drain moves, as seen from outside of it. */
export interface DrainHeartbeat {
  /**
   * The same ports, listened to: each answer of a store, good or bad, is a sign of life. A pass over many coupons may take long,
   * and a drain whose stores are away never finishes one; what hangs is a call that neither succeeds nor fails.
   *
   * The pulse begins with this call; until then, while there are no stores yet, the drain counts as alive.
   */
  tracked(ports: DrainPorts): DrainPorts;
  /** Another sign of life: a pass is over. */
  beat(): void;
  liveness(): Liveness;
}

/** @param now milliseconds, monotonic */
export function drainHeartbeat(pace: { intervalMs: number; leaseMs: number }, now: () => number): DrainHeartbeat {
  const limitMs = quietLimitMs(pace);
  let lastMs: number | null = null;
  const beat = (): void => {
    lastMs = now();
  };
  return {
    tracked({ claims, coupons, ledger }) {
      beat();
      return { claims: trackedPort(claims, beat), coupons: trackedPort(coupons, beat), ledger: trackedPort(ledger, beat) };
    },
    beat,
    liveness: () => liveness(lastMs, now(), limitMs),
  };
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** @param port whose methods all return promises, as those of a drain do */
function trackedPort<P extends object>(port: P, beat: () => void): P {
  const methods = Object.entries(port as Record<string, Method>).map(([name, method]) => {
    const tracked: Method = (...args) => method(...args).finally(beat);
    return [name, tracked];
  });
  return Object.fromEntries(methods) as P;
}
