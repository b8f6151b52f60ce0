import { scoreToMicros } from '../../campaign/coupon.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { readRedis } from '../reads.ts';
import type { Reached, RepairPorts } from './ports.ts';

/**
 * How far claims and ledger have come. Claims that a worker still holds may be ahead of what reached the ledger. They are read first: a
 * worker that is late may issue its users and give its claims up meanwhile.
 */
export async function reachedBy(ports: RepairPorts, { id, maxFence }: LedgerCoupon): Promise<Reached> {
  let [fence, lastUs] = [maxFence, 0];
  for await (const page of ports.reader.walk(id, 'claims')) {
    for (const { claim } of (await readRedis(ports, id, page)).users) {
      fence = Math.max(fence, claim?.fence ?? 0);
      lastUs = Math.max(lastUs, scoreToMicros(claim?.score ?? 0) ?? 0);
    }
  }
  return { fence, lastUs: Math.max(lastUs, await ports.ledger.latestRequestUs(id)) };
}

/**
 * Request time, in microseconds, that a repair gives to users without one, as `adopt.lua` does: after every request that the coupon is known
 * to have accepted, even if a clock was ahead.
 *
 * @param lastUs of the hash of the coupon; null: the field is not there
 * @param isBound the hash is this life's; if not, `bind.lua` will raise `lastUs` to what claims and ledger say
 */
export async function nextRequestUs(ports: RepairPorts, coupon: LedgerCoupon, lastUs: number | null, isBound: boolean): Promise<number> {
  const reachedUs = isBound ? 0 : (await reachedBy(ports, coupon)).lastUs;
  return Math.max((await ports.reader.now()) * 1_000, Math.max(lastUs ?? 0, reachedUs) + 1);
}
