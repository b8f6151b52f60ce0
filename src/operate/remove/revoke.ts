import type { Acknowledgement } from '../../campaign/ports/acknowledgement.ts';
import type { LedgerCoupon, LedgerReader, LedgerRow } from '../../campaign/ports/ledger.ts';
import { couponSuspect, knownCoupon } from '../../campaign/known-coupon.ts';
import { usageError } from '../../lib/errors.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { changeUnfinished, notFollowed } from '../change.ts';
import type { Change, ChangeLedger, ChangeStore } from '../ports.ts';
import { changeBothStores } from '../two-store-change.ts';
import type { RevokeLedger } from './ports.ts';

export interface RevokePorts {
  ledger: Pick<LedgerReader, 'coupon' | 'rows'> & Pick<ChangeLedger, 'findChange' | 'finishChange'> & RevokeLedger;
  coupons: ChangeStore;
  claims: Acknowledgement;
  keyStyle: string;
  newOpId: () => string;
}

export interface RevokeOptions {
  reason: string;
  /** Somebody else may have it: it goes back into the stock, and does not count as issued any more. */
  returnStock: boolean;
  byWhom: string;
  /** Say what would be done, change nothing. */
  dryRun: boolean;
}

export interface RevokeResult {
  couponId: string;
  userId: string;
  /** Null: it is not revoked yet. */
  revokedAt: Date | null;
  returnStock: boolean;
  /** `finished`: it was begun by an earlier command. `unchanged`: there was nothing to do. `planned`: it would be done. */
  outcome: 'done' | 'finished' | 'unchanged' | 'planned';
}

/**
 * Takes an issued coupon back from its user. The row stays, with the reason, and the user stays admitted: nobody gets a second one. Begun
 * in the ledger, so that a use is refused from then on; then the issued hash shows it, and the counters of Redis follow in one script.
 * Interrupted anywhere, the same command finishes it.
 *
 * @throws CouponError `COUPON_UNKNOWN`, `NOT_ISSUED`, `ALREADY_USED`, `CHANGE_UNFINISHED`, `CHANGE_REFUSED`, `COUPON_SUSPECT`
 */
export async function revokeCoupon(couponId: string, userId: string, options: RevokeOptions, ports: RevokePorts): Promise<RevokeResult> {
  const { ledger, coupons, claims, keyStyle, newOpId } = ports;
  const { returnStock, dryRun } = options;
  const coupon = await knownCoupon(ledger, couponId, keyStyle);
  const unfinished = await ledger.findChange(coupon, null);
  if (unfinished) checkSame(unfinished, userId, returnStock);
  const row = await issuedRow(ledger, couponId, userId);
  const result = { couponId, userId, revokedAt: row.revokedAt, returnStock };
  if (!unfinished) {
    const { suspect } = await coupons.saleOf(couponId);
    if (suspect !== '') throw couponSuspect(couponId, suspect);
    if (returnStock && row.usedAt)
      throw usageError(
        'ALREADY_USED',
        `coupon ${couponId} of ${userId} was used at ${row.usedAt.toISOString()}, so it cannot go back into the stock`,
        'Leave --return-stock out to revoke it all the same.',
      );
  }
  if (dryRun) return { ...result, outcome: row.revokedAt && !returnStock ? 'unchanged' : 'planned' };
  const begun = await changeBothStores<Change | null, Change | null>({
    begin: async () => unfinished ?? (await ledger.beginRevoke(newOpId(), coupon, { ...options, userId })),
    inRedis: async (change) => {
      if (change) await follow(change, userId, returnStock, { ledger, coupons, claims });
    },
    finish: async (change) => {
      if (change) await ledger.finishChange(change.opId);
      return change;
    },
  });
  const { revokedAt } = await issuedRow(ledger, couponId, userId);
  return { ...result, revokedAt, outcome: begun === null ? 'unchanged' : unfinished ? 'finished' : 'done' };
}

async function follow(
  { couponId, version }: Change,
  userId: string,
  returnStock: boolean,
  { ledger, coupons, claims }: Pick<RevokePorts, 'ledger' | 'coupons' | 'claims'>,
): Promise<void> {
  const coupon: LedgerCoupon = await knownCoupon(ledger, couponId);
  // An ack that was decided before keeps a revocation that it finds in the hash, so this one has to come first.
  await claims.ack(couponId, coupon.epoch, await ledger.rows(couponId, [userId]));
  const numbers = { add: 0, givenBack: coupon.returnedQuantity, back: returnStock ? 1 : 0 };
  const status = await coupons.change(coupon, { epoch: coupon.epoch, version, ...numbers, state: null });
  if (status !== 'ok' && status !== 'done') throw notFollowed(couponId, status);
}

async function issuedRow(ledger: Pick<LedgerReader, 'rows'>, couponId: string, userId: string): Promise<LedgerRow> {
  const [row] = await ledger.rows(couponId, [userId]);
  if (row) return row;
  throw usageError(
    'NOT_ISSUED',
    `no coupon ${couponId} was issued to ${userId}`,
    `${command`inspect user ${couponId} ${userId}`} shows where the request stands.`,
  );
}

/** Another change that was interrupted must be finished first. */
function checkSame(unfinished: Change, userId: string, returnStock: boolean): void {
  const { kind, details } = unfinished;
  if (kind === 'revoke' && details['user'] === userId && details['returnStock'] === returnStock) return;
  throw changeUnfinished(unfinished);
}
