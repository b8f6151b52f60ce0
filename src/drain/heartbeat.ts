import { liveness, quietLimitMs, type Liveness } from '../campaign/liveness.ts';
import type { DrainPorts } from './pass.ts';

/** Whether a drain moves, as seen from outside of it. */
export interface DrainPulse {
  /**
   * The same ports, listened to: each answer of a store, good or bad, is a sign of life. A pass over many coupons may take long,
   * and a drain whose stores are away never finishes one; what hangs is a call that neither succeeds nor fails.
   *
   * The pulse begins with this call; until then, while there are no stores yet, the drain counts as alive.
   */
  felt(ports: DrainPorts): DrainPorts;
  /** Another sign of life: a pass is over. */
  beat(): void;
  liveness(): Liveness;
}

/** @param now milliseconds, monotonic */
export function drainPulse(pace: { intervalMs: number; leaseMs: number }, now: () => number): DrainPulse {
  const limitMs = quietLimitMs(pace);
  let lastMs: number | null = null;
  const beat = (): void => {
    lastMs = now();
  };
  return {
    felt({ claims, coupons, ledger }) {
      beat();
      return { claims: feltPort(claims, beat), coupons: feltPort(coupons, beat), ledger: feltPort(ledger, beat) };
    },
    beat,
    liveness: () => liveness(lastMs, now(), limitMs),
  };
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** @param port whose methods all return promises, as those of a drain do */
function feltPort<P extends object>(port: P, beat: () => void): P {
  const methods = Object.entries(port as Record<string, Method>).map(([name, method]) => {
    const felt: Method = (...args) => method(...args).finally(beat);
    return [name, felt];
  });
  return Object.fromEntries(methods) as P;
}
