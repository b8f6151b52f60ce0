import { collectEvidence } from './collect.ts';
import type { BenchStores } from '../ports.ts';
import { preflight } from '../preflight.ts';
import type { EvidenceSource } from './source.ts';

/** Evidence from the stores of this project: the ledger, and the keys that `serve` and `drain` write. */
export function ownEvidence(stores: BenchStores): EvidenceSource {
  return {
    remarks: stores.ownKeyspace ? [] : ['HASHES_NOT_SCANNED'],
    preflight: (coupon, users, allowUsed) => preflight(coupon, stores, users, allowUsed),
    async look(couponId) {
      const inRedis = await stores.redis.coupon(couponId);
      const inLedger = await stores.ledger.coupon(couponId);
      return {
        stock: inRedis?.stock ?? null,
        waiting: inRedis?.waiting ?? 0,
        claimed: inRedis?.claimed ?? 0,
        issued: inLedger?.issuedQuantity ?? 0,
        mark: String(inRedis?.admitted ?? 0),
      };
    },
    // A claim stands in Redis until its row is in the ledger and its hash is written.
    unserved: async () => [],
    collect: (options) => collectEvidence(stores, options),
  };
}
