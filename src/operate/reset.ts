import type { ResetLedger, ResetStore, SeedStore } from './ports.ts';
import type { LedgerReader } from '../campaign/ports/ledger.ts';
import { changeBothStores } from './two-store-change.ts';
import { CouponError, usageError } from '../lib/errors.ts';

export interface ResetPorts {
  ledger: Pick<LedgerReader, 'coupon' | 'page'> & ResetLedger;
  coupons: ResetStore;
  newEpoch: () => string;
}

const PAGE = 500;

/**
 * Deletes a coupon and everything about it from both stores, so that it can be seeded afresh. First both stores get a new
 * epoch, which shuts out every worker of the old life; then the rest goes in chunks. It may be interrupted anywhere and run
 * again. Returns the number of issued coupons that were deleted.
 */
export async function reset(couponId: string, { ledger, coupons, newEpoch }: ResetPorts): Promise<number> {
  const epoch = newEpoch();
  let deleted = 0;
  await changeBothStores({
    begin: async () => ledger.startReset(couponId, epoch),
    inRedis: async (stored) => {
      // Without a row no worker would take it, and an epoch that no ledger knows would keep the next reset from it.
      if (stored) await coupons.retire(couponId, epoch);
      if (stored) deleted = await deleteIssued(couponId, epoch, { ledger, coupons });
      await coupons.drop(couponId);
    },
    finish: async (stored) => {
      if (stored) await ledger.dropCoupon(couponId, epoch);
    },
  });
  return deleted;
}

/**
 * Looks before anything is deleted whether the coupon in Redis may be: by the confirmation of an operator whatever has no epoch, but
 * never what another ledger has seeded.
 *
 * @throws CouponError `REDIS_KEYS_TAKEN`
 */
export async function checkOwner(
  couponId: string,
  { ledger, coupons }: { ledger: Pick<ResetPorts['ledger'], 'coupon' | 'endedEpochs'>; coupons: Pick<SeedStore, 'checkSeed'> },
): Promise<void> {
  const stored = await ledger.coupon(couponId);
  const found = await coupons.checkSeed(couponId, null);
  if (found.status !== 'foreign' || found.epoch === '' || found.epoch === stored?.epoch) return;
  if ((await ledger.endedEpochs(couponId)).has(found.epoch)) return;
  throw new CouponError({
    code: 'REDIS_KEYS_TAKEN',
    kind: 'usage',
    message: `coupon ${couponId} in Redis belongs to another ledger`,
    why: 'another environment may be using these keys; nothing was deleted',
    fix: 'Check REDIS_URL and DATABASE_URL, use another id, or give each environment a --key-prefix. If its ledger is gone for good, delete these keys with redis-cli first.',
  });
}

/** Rows and hashes of a coupon that both stores have given a new epoch, page by page. @returns how many */
export async function deleteIssued(couponId: string, epoch: string, { ledger, coupons }: Omit<ResetPorts, 'newEpoch'>): Promise<number> {
  let deleted = 0;
  for (;;) {
    const users = (await ledger.page(couponId, '', PAGE)).map((row) => row.userId);
    if (users.length === 0) return deleted;
    // Redis first: a hash without its row would never be found again.
    await coupons.dropIssued(couponId, users);
    await ledger.deleteIssued(couponId, epoch, users[0]!, users.at(-1)!);
    if ((await ledger.coupon(couponId))?.epoch !== epoch) {
      throw usageError('RESET_OVERTAKEN', `another reset of coupon ${couponId} is under way`, 'Let the other one finish.');
    }
    deleted += users.length;
  }
}
