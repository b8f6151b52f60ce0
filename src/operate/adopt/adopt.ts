import { definitionDifferences } from '../../campaign/coupon.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { CouponError, usageError } from '../../lib/errors.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { changeBothStores } from '../two-store-change.ts';
import { look, type LookOptions } from './look.ts';
import { refusalOf, type AdoptionPlan, type FullPlan } from './plan.ts';
import type { AdoptionLedger, AdoptionSource, AdoptionStore } from './ports.ts';
import { ADOPTION_FENCE, adoptedRows, inShares, queuedUsers } from './stream.ts';

export interface AdoptPorts {
  source: AdoptionSource;
  store: AdoptionStore;
  ledger: AdoptionLedger;
  keyStyle: string;
  /** A fresh random UUID. */
  newId: () => string;
}

export interface AdoptOptions extends LookOptions {
  byWhom: string;
  /** Say what would be done, change nothing. */
  dryRun: boolean;
  /** Called with the number of users taken over so far. */
  progress?: (users: number) => void;
}

export interface AdoptResult {
  plan: AdoptionPlan;
  /** `finished`: an earlier command had begun it. `planned`: it would be done. */
  outcome: 'adopted' | 'finished' | 'planned';
}

/** Users in one step. */
const USERS_AT_ONCE = 200;

/**
 * Takes a coupon over that another service has begun in Redis: a ledger row, the index, an admission for everybody who waits or has a
 * coupon, and a row for each issued key. Everything is read and checked before anything is written. The coupon is out of service here
 * until the last step. Interrupted anywhere, the same command reads what is there now, and goes on.
 *
 * @param onPlan called with the plan before it is refused or carried out
 * @throws CouponError `ALREADY_IN_LEDGER`, `ADOPTION_CHANGED`, and what {@link look} and the plan refuse, with nothing changed
 */
export async function adoptCoupon(
  couponId: string,
  options: AdoptOptions,
  ports: AdoptPorts,
  onPlan: (plan: AdoptionPlan, problems: readonly CouponError[]) => void = () => undefined,
): Promise<AdoptResult> {
  const { source, ledger, store } = ports;
  const before = await ledger.coupon(couponId);
  if (before && before.state !== 'adopting') throw inLedger(before);
  const plan = await look(source, couponId, options, before?.epoch ?? null);
  const refused = refusalOf(plan) ?? (before ? changed(before, plan) : null);
  onPlan(plan.shown, plan.problems);
  if (refused) throw refused;
  if (options.dryRun) return { plan: plan.shown, outcome: 'planned' };
  await changeBothStores<LedgerCoupon, void>({
    begin: async () => before ?? (await begin(plan, options, ports)),
    inRedis: async (coupon) => {
      const { epoch, suspect } = await source.own(couponId);
      await store.index(couponId);
      // Only the ledger does not know yet that it is done.
      if (epoch === coupon.epoch && suspect === '') return;
      await takeOver(coupon, plan, options, ports);
    },
    finish: ({ epoch }) => ledger.finishAdopting(couponId, epoch),
  });
  return { plan: plan.shown, outcome: before ? 'finished' : 'adopted' };
}

async function begin(plan: FullPlan, { byWhom }: AdoptOptions, { ledger, keyStyle, newId }: AdoptPorts): Promise<LedgerCoupon> {
  const { couponId, total, stock, waiting, issued, state } = plan.shown;
  const details = { total: total!, stock: stock!, waiting, issued };
  const epoch = newId();
  const { sharedStockField } = plan;
  const adoption = { opId: newId(), epoch, keyStyle, sharedStockField, saleState: state, details, byWhom };
  const stored = await ledger.startAdopting(plan.definition!, adoption);
  // Somebody else was quicker.
  if (stored.epoch !== epoch) throw inLedger({ ...stored, id: couponId });
  return stored;
}

async function takeOver(coupon: LedgerCoupon, plan: FullPlan, { progress }: AdoptOptions, ports: AdoptPorts): Promise<void> {
  const { source, store } = ports;
  const { id, epoch } = coupon;
  const reached = { fence: ADOPTION_FENCE, lastUs: latestUs(plan) };
  const bound = await store.bind(coupon, '', reached, 'adopting');
  if (bound === 'changed') throw movedOn(id);
  if (bound === 'done') return;
  let done = 0;
  // The rows come first: of a user who is queued as well, the queue alone says when the request came.
  for await (const share of inShares(adoptedRows(source, plan), USERS_AT_ONCE)) {
    await issuedToo(coupon, share, plan, ports);
    progress?.((done += share.length));
  }
  for await (const users of inShares(queuedUsers(source, plan), USERS_AT_ONCE)) {
    const taken = await store.takeOver(id, epoch, users);
    if (taken === 'epoch') throw movedOn(id);
    if (taken === 'done') return;
    progress?.((done += users.length));
  }
  const status = await store.finishAdoption(coupon, plan.finalStock);
  if (status === 'epoch' || status === 'stock') throw movedOn(id);
}

/** Rows, admissions and hashes of users who have a coupon, in this order: what is written twice is written the same. */
async function issuedToo(
  { id, epoch }: LedgerCoupon,
  share: readonly { row: Parameters<AdoptionLedger['restoreRows']>[2][number]; seenUsedAt: string }[],
  { keys, own }: FullPlan,
  { ledger, store }: AdoptPorts,
): Promise<void> {
  const restored = await ledger.restoreRows(
    id,
    epoch,
    share.map(({ row }) => row),
    'adopt',
  );
  if (restored !== 'ok') throw movedOn(id);
  const rows = await ledger.rows(
    id,
    share.map(({ row }) => row.userId),
  );
  await store.adopt(id, epoch, rows);
  await store.ack(id, epoch, rows);
  // An ack keeps a use as it is written; the row has it in our form.
  const isSame = keys.issued.head === own.issued.head && keys.issued.tail === own.issued.tail;
  const seen = new Map(share.map(({ row, seenUsedAt }) => [row.userId, seenUsedAt]));
  await store.rehash(
    id,
    epoch,
    rows.map((row) => ({ row, seenUsedAt: (isSame ? seen.get(row.userId) : null) ?? row.usedAt?.toISOString() ?? '' })),
  );
}

/** Not later than now: the next request would have to be later still. */
function latestUs({ queue, nowMs }: FullPlan): number {
  return Math.min(queue.latestUs ?? 0, nowMs * 1_000);
}

function changed(before: LedgerCoupon, { definition }: FullPlan): CouponError | null {
  const [first] = definition ? definitionDifferences(before, definition) : [];
  if (!first) return null;
  return new CouponError({
    code: 'ADOPTION_CHANGED',
    kind: 'usage',
    message: `an adoption of coupon ${before.id} was begun with other values`,
    why: `${first.field}: ${first.stored} then, ${first.wanted} now`,
    fix: 'Run it with the same options as then.',
  });
}

function inLedger({ id, state }: Pick<LedgerCoupon, 'id' | 'state'>): CouponError {
  return usageError(
    'ALREADY_IN_LEDGER',
    state === 'ready' ? `coupon ${id} is in the ledger already` : `coupon ${id} is in the ledger already, and in state ${state}`,
    `${command`inspect coupon ${id}`} shows it; ${command`audit ${id}`} says whether both stores agree.`,
  );
}

function movedOn(couponId: string): CouponError {
  return new CouponError({
    code: 'ADOPTION_INCOMPLETE',
    kind: 'failure',
    message: `coupon ${couponId} was written to while it was being adopted`,
    why: 'its epoch, its stock or its issued coupons are no longer what the plan found',
    fix: 'Stop the program that writes there, and run the same command again: it goes on from what is there now.',
  });
}
