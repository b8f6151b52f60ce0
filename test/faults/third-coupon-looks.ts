import { until } from '../support/until.ts';
import type { StoresUnderLoad } from './fault.ts';
import { auditFindings } from './oracle.ts';

const SOURCES = ['admitted', 'waiting', 'leases', 'claims', 'dead'] as const;

/** Which of these users are still in either store, whatever a late worker may have written. */
export async function leftovers(
  { reader, ledger }: Pick<StoresUnderLoad, 'reader' | 'ledger'>,
  couponId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const unwanted = new Set(userIds);
  const found: string[] = [];
  const lookAt = (place: string, ids: readonly string[]): void => {
    found.push(...ids.filter((id) => unwanted.has(id)).map((id) => `${couponId}: ${id} of its former life is in ${place}`));
  };
  for (const source of SOURCES) for await (const ids of reader.walk(couponId, source)) lookAt(source, ids);
  for await (const ids of reader.scanIssued(couponId)) lookAt('an issued hash', ids);
  lookAt(
    'the ledger',
    (await ledger.rows(couponId, userIds)).map(({ userId }) => userId),
  );
  return found;
}

/** Which of the accepted have no coupon in the end; and whatever `audit` has to say. */
export async function missing(rig: StoresUnderLoad, couponId: string, accepted: readonly string[]): Promise<string[]> {
  await settled(rig, couponId);
  const issued = new Set((await rig.ledger.rows(couponId, accepted)).map(({ userId }) => userId));
  const lost = accepted.filter((userId) => !issued.has(userId)).map((userId) => `${couponId}: ${userId} was accepted and has no coupon`);
  return [...lost, ...(await auditFindings([couponId], rig))];
}

/** Returns when nobody waits and nobody is claimed. */
export async function settled({ reader }: Pick<StoresUnderLoad, 'reader'>, couponId: string): Promise<void> {
  await until(async () => {
    const coupon = await reader.coupon(couponId);
    return coupon !== null && coupon.waiting + coupon.claimed === 0;
  });
}
