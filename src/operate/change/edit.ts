import { definitionDifferences, type CouponDefinition } from '../../campaign/coupon.ts';
import { knownCoupon } from '../../campaign/known-coupon.ts';
import { usageError, type CouponError } from '../../lib/errors.ts';
import { number } from '../../lib/text/figures.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { changeCoupon, type ChangeContext, type ChangePorts, type ChangeResult } from '../change.ts';

export interface EditedField {
  field: string;
  now: string;
  becomes: string;
}

export interface CouponEdit {
  couponId: string;
  /** `planned`: it would be done, or finished if it was begun before. */
  outcome: ChangeResult['outcome'];
  fields: EditedField[];
}

export type EditContext = Omit<ChangeContext, 'opId' | 'dryRun'>;

/**
 * What it takes to bring coupons to what a file says. Nothing is changed.
 *
 * @throws CouponError `EDIT_REFUSED` for what an edit cannot do, with the command that can; and what {@link changeCoupon} throws
 */
export async function planEdits(wanted: readonly CouponDefinition[], context: EditContext, ports: ChangePorts): Promise<CouponEdit[]> {
  const edits: CouponEdit[] = [];
  for (const definition of wanted) {
    const stored = await knownCoupon(ports.ledger, definition.id, ports.keyStyle);
    if (stored.total !== definition.total) throw otherTotal(definition.id, stored.total, definition.total);
    const fields = definitionDifferences(stored, definition).map((one) => ({ field: one.field, now: one.stored, becomes: one.wanted }));
    const { outcome } = await edit(definition, { ...context, dryRun: true }, ports);
    edits.push({ couponId: definition.id, outcome, fields });
  }
  return edits;
}

/** Applies a plan, coupon by coupon. Interrupted anywhere, the same call finishes it. */
export async function applyEdits(
  wanted: readonly CouponDefinition[],
  plan: readonly CouponEdit[],
  context: EditContext,
  ports: ChangePorts,
): Promise<CouponEdit[]> {
  const edits: CouponEdit[] = [];
  for (const [i, definition] of wanted.entries()) {
    const { outcome } = await edit(definition, context, ports);
    // The file may say more by now than what was interrupted.
    if (outcome === 'finished') await edit(definition, context, ports);
    edits.push({ ...plan[i]!, outcome });
  }
  return edits;
}

async function edit(
  { id, ...settings }: CouponDefinition,
  context: Omit<ChangeContext, 'opId'>,
  ports: ChangePorts,
): Promise<ChangeResult> {
  const { name, opensAt, closesAt, expiry } = settings;
  return changeCoupon(id, { kind: 'edit', settings: { name, opensAt, closesAt, expiry } }, { ...context, opId: null }, ports);
}

function otherTotal(couponId: string, stored: number, wanted: number): CouponError {
  const more = wanted - stored;
  return usageError(
    'EDIT_REFUSED',
    `coupon ${couponId} has ${number(stored)} in all, and the file says ${number(wanted)}`,
    more > 0
      ? `Add them with ${command`restock ${couponId} --add ${String(more)}`}; then edit the rest.`
      : `A total never falls, because the coupons are promised. Write ${stored} into the file; to end the sale early: ${command`close ${couponId}`}.`,
  );
}
