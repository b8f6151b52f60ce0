import { couponNotInRedis, couponSuspect, knownCoupon } from '../../campaign/known-coupon.ts';
import type { LedgerCoupon, LedgerReader } from '../../campaign/ports/ledger.ts';
import type { RedisReader } from '../../campaign/ports/redis-reader.ts';
import { usageError } from '../../lib/errors.ts';
import { number, plural } from '../../lib/text/figures.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { changeUnfinished } from '../change.ts';
import type { Change, ChangeLedger, ResetLedger, ResetStore } from '../ports.ts';
import { deleteIssued } from '../reset.ts';
import { changeBothStores } from '../two-store-change.ts';
import type { PurgeLedger } from './ports.ts';

export interface PurgePorts {
  ledger: Pick<LedgerReader, 'coupon' | 'page'> &
    Pick<ChangeLedger, 'findChange'> &
    ResetLedger &
    PurgeLedger & { counts(couponId: string): Promise<{ rows: number } | null> };
  coupons: ResetStore;
  reader: Pick<RedisReader, 'coupon' | 'now'>;
  keyStyle: string;
  newId: () => string;
}

export interface PurgeOptions {
  byWhom: string;
  reason: string | null;
  /** Although no export has every row. */
  force: boolean;
  /** Say what would be done, change nothing. */
  dryRun: boolean;
}

export interface PurgeResult {
  couponId: string;
  /** Issued coupons that were removed with it. */
  rows: number;
  /** `finished`: it was begun by an earlier command. `unchanged`: it was purged before. `planned`: it would be done. */
  outcome: 'done' | 'finished' | 'unchanged' | 'planned';
}

/**
 * Removes a coupon whose sale is over from both stores: rows and issued hashes in batches, then the keys, then the coupon itself. The log
 * keeps what was removed. First both stores get a new epoch, which shuts out every worker and server; interrupted anywhere, the same
 * command goes on.
 *
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`, `COUPON_NOT_READY`, `CHANGE_UNFINISHED`, `COUPON_NOT_IN_REDIS`,
 *   `COUPON_SUSPECT`, `COUPON_OPEN`, `USERS_WAITING`, `NOT_EXPORTED`
 */
export async function purgeCoupon(couponId: string, options: PurgeOptions, ports: PurgePorts): Promise<PurgeResult> {
  const { ledger, coupons, newId } = ports;
  const last = await ledger.findPurge(couponId);
  const found = await ledger.coupon(couponId);
  if (!found && last?.finishedAt) return { couponId, rows: rowsOf(last), outcome: 'unchanged' };
  const unfinished = last && !last.finishedAt && found?.epoch === last.details['epoch'] ? last : null;
  const rows = unfinished ? rowsOf(unfinished) : await checked(couponId, options, ports);
  if (options.dryRun) return { couponId, rows, outcome: 'planned' };
  await changeBothStores<Change, void>({
    begin: async () => unfinished ?? (await ledger.beginPurge(newId(), found!, { ...options, epoch: newId(), rows })),
    inRedis: async ({ details }) => {
      const epoch = String(details['epoch']);
      await coupons.retire(couponId, epoch);
      await deleteIssued(couponId, epoch, { ledger, coupons });
      await coupons.drop(couponId);
    },
    finish: (change) => ledger.finishPurge(change),
  });
  return { couponId, rows, outcome: unfinished ? 'finished' : 'done' };
}

function rowsOf({ details }: Change): number {
  return Number(details['rows']);
}

/** Rows that would be removed, if nothing speaks against it. */
async function checked(couponId: string, { force }: PurgeOptions, { ledger, reader, keyStyle }: PurgePorts): Promise<number> {
  const coupon = await knownCoupon(ledger, couponId, keyStyle);
  const unfinished = await ledger.findChange(coupon, null);
  if (unfinished) throw changeUnfinished(unfinished);
  await checkOver(coupon, reader);
  const rows = (await ledger.counts(couponId))?.rows ?? 0;
  if (rows > 0 && !force && !(await ledger.isExported(coupon, rows)))
    throw usageError(
      'NOT_EXPORTED',
      `no export has all ${number(rows)} issued coupons of ${couponId}`,
      `Run ${command`export ${couponId} --out ${`${couponId}.csv`}`} first; or add --force to lose them.`,
    );
  return rows;
}

/** Nobody may be promised a coupon that is about to go. */
async function checkOver({ id, closesAt }: LedgerCoupon, reader: PurgePorts['reader']): Promise<void> {
  const redis = await reader.coupon(id);
  if (!redis) throw couponNotInRedis(id);
  if (redis.suspect !== '') throw couponSuspect(id, redis.suspect);
  const isClosed = redis.state === 'closed' || (closesAt !== null && closesAt.getTime() <= (await reader.now()));
  if (!isClosed) throw usageError('COUPON_OPEN', `coupon ${id} is not closed`, `End the sale first: ${command`close ${id}`}.`);
  const waiting = redis.waiting + redis.claimed;
  if (waiting > 0)
    throw usageError(
      'USERS_WAITING',
      `${plural(waiting, 'accepted user waits', 'accepted users wait')} for coupon ${id}`,
      `Drain first: ${command`drain ${id} --until-empty`}.`,
    );
  if (redis.dead > 0)
    throw usageError(
      'USERS_WAITING',
      `${plural(redis.dead, `dead-lettered user of coupon ${id} is`, `dead-lettered users of coupon ${id} are`)} not decided about`,
      `${command`dead list ${id}`} shows them; \`dead retry\` or \`dead drop\` decides.`,
    );
}
