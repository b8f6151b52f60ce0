import { CouponError } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { StoreSample } from './report/report.ts';
import type { EvidenceSource } from './evidence/source.ts';

const EVERY_MS = 200;
/** A look at a slow store is a load of its own: the sampler then rests for so many times as long as the look took. */
const RESTS = 9;
/** Per coupon. Longer runs keep every second, then every fourth reading, and so on. */
const MAX_SAMPLES = 400;

export interface Sampler {
  /** What is left in stock of all coupons by the latest reading; null when none says. */
  stockLeft(): number | null;
  /**
   * Takes a last reading and gives all. Nothing is read after that.
   *
   * @param zeroMs clock reading at which the load began; readings from before count as of that moment
   */
  stop(zeroMs: number): Promise<StoreSample[]>;
}

interface Reading {
  atMs: number;
  looks: Omit<StoreSample, 'second'>[];
}

/**
 * Watches the stores while the load and the drain run: two small reads per coupon, a few times a second. A store that does
 * not answer leaves a gap; whether that matters is for others to say.
 */
export function startSampler(source: EvidenceSource, couponIds: readonly string[], clock: Clock): Sampler {
  const readings: Reading[] = [];
  let everyMs = EVERY_MS;
  let tookMs = 0;
  const stopped = new AbortController();

  const read = async (): Promise<void> => {
    const atMs = clock.now();
    const looks: Reading['looks'] = [];
    for (const couponId of couponIds) {
      try {
        const look = await source.look(couponId);
        if (!look) continue;
        const { stock, waiting, claimed, issued } = look;
        looks.push({ couponId, stock, waiting, claimed, issued });
      } catch (error) {
        if (!(error instanceof CouponError) || error.kind !== 'unreachable') throw error;
      }
    }
    tookMs = clock.now() - atMs;
    readings.push({ atMs, looks });
    if (readings.length <= MAX_SAMPLES) return;
    for (let index = readings.length - 1; index > 0; index -= 1) if (index % 2 === 1) readings.splice(index, 1);
    everyMs *= 2;
  };

  let underWay = read();
  const watch = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await underWay;
      await clock.sleep(Math.max(everyMs, tookMs * RESTS));
      if (!stopped.signal.aborted) underWay = read();
    }
  };
  // What goes wrong is told by `stop`, which everyone calls; the sleep that may still be under way then reads nothing.
  const watching = watch();
  watching.catch(() => undefined);
  return {
    stockLeft() {
      const known = (readings.at(-1)?.looks ?? []).flatMap(({ stock }) => (stock === null ? [] : [stock]));
      return known.length === 0 ? null : known.reduce((sum, stock) => sum + stock, 0);
    },
    async stop(zeroMs) {
      stopped.abort();
      await underWay;
      await read();
      return readings.flatMap(({ atMs, looks }) => {
        const second = Math.max(0, Math.round(atMs - zeroMs)) / 1_000;
        return looks.map((look) => ({ second, ...look }));
      });
    },
  };
}
