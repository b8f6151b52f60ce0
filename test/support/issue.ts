import { randomUUID } from 'node:crypto';
import { drainPass } from '../../src/drain/pass.ts';
import type { TestStores } from './stores.ts';

/** Issues up to `batch` of the users who wait for a coupon, as the drain does. */
export async function issueWaiting(stores: TestStores, couponId: string, batch = 1_000): Promise<void> {
  const options = { couponIds: [couponId], batch, leaseMs: 30_000, worker: `test-${randomUUID()}`, keyStyle: 'plain', scan: false };
  const [pass] = await drainPass(
    { claims: stores.claims, coupons: stores.coupons, ledger: stores.ledger },
    options,
    new AbortController().signal,
  );
  if (pass?.skipped) throw new Error(`coupon ${couponId} was not drained: ${pass.skipped}`);
}
