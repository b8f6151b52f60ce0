import { until } from '../../support/until.ts';
import type { Random, StoresUnderLoad } from '../fault.ts';
import { auditFindings } from '../oracle.ts';
import { openQuestions } from '../third-coupon.ts';
import { leftovers, settled } from '../third-coupon-looks.ts';

/** A coupon of an operator's own, with users who ask for it. */
export interface Operated {
  id: string;
  /** Asks; who of them was accepted. */
  ask(userIds: readonly string[]): Promise<string[]>;
  /** Asks again and again until they are accepted: an endpoint may remember for a moment that it had to refuse them. */
  askUntilAccepted(userIds: readonly string[]): Promise<void>;
  /** Asks until there is no coupon left. */
  sellOut(userIds: readonly string[]): Promise<void>;
  /** How often somebody was accepted, and for what it counts that they were. */
  acceptances: number;
  close(): void;
}

/** What must stand in both stores once all commands are finished. */
export interface Expected {
  total: number;
  /** Coupons that revocations have put back. */
  returned?: number;
  state: 'open' | 'paused' | 'closed';
  name?: string;
  closesAt?: Date;
  /** How often each kind of change stands in the log. */
  changes: Readonly<Record<string, number>>;
  /** Of whom no trace may be left. */
  forgotten?: readonly string[];
}

export const TOTAL = 40;

export async function openOperated(stores: StoresUnderLoad, random: Random): Promise<Operated> {
  const id = `${stores.couponId}-o${random.int(0, 0xff_ffff).toString(36)}`;
  const { exitCode, stderr } = await stores.command(['seed', id, '--name', 'Operated', '--stock', String(TOTAL)]);
  if (exitCode !== 0) throw new Error(`the seed of ${id} ended with ${exitCode}: ${stderr}`);
  return operatedCoupon(stores, id);
}

/** One that is there already. */
export function operatedCoupon({ endpoint, reader }: Pick<StoresUnderLoad, 'endpoint' | 'reader'>, id: string): Operated {
  const questions = openQuestions(endpoint, id);
  const operated: Operated = {
    id,
    acceptances: 0,
    close: questions.close,
    async ask(userIds) {
      const accepted = await questions.ask(userIds);
      operated.acceptances += accepted.length;
      return accepted;
    },
    async askUntilAccepted(userIds) {
      let left = userIds;
      await until(async () => {
        const accepted = new Set(await operated.ask(left));
        left = left.filter((userId) => !accepted.has(userId));
        return left.length === 0;
      });
    },
    async sellOut(userIds) {
      let left = userIds;
      await until(async () => {
        const accepted = new Set(await operated.ask(left));
        left = left.filter((userId) => !accepted.has(userId));
        return (await reader.coupon(id))!.stock === 0;
      });
    },
  };
  return operated;
}

/** Everything that is not as expected, a line each. */
export async function operatedLooks(stores: StoresUnderLoad, operated: Operated, expected: Expected): Promise<string[]> {
  const { id } = operated;
  await settled(stores, id);
  const { ledger, reader, sql } = stores;
  const broken: string[] = [];
  const compare = (what: string, found: unknown, right: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(right))
      broken.push(`${id}: ${what} ${JSON.stringify(found)}, not ${JSON.stringify(right)}`);
  };
  const [coupon, redis] = [(await ledger.coupon(id))!, (await reader.coupon(id))!];
  compare('the total of the ledger is', coupon.total, expected.total);
  compare('the total of Redis is', redis.total, expected.total);
  compare('the state is', redis.state, expected.state);
  const { name, closesAt } = expected;
  if (name !== undefined) compare('the names are', [coupon.name, redis.name], [name, name]);
  if (closesAt !== undefined) compare('the ends are', [coupon.closesAt, redis.closesAt], [closesAt, closesAt.toISOString()]);
  compare('coupons given back', coupon.returnedQuantity, expected.returned ?? 0);
  const [rows] = await sql('SELECT count(*)::int AS issued FROM issued_coupons WHERE coupon_id = $1', [id]);
  compare('issued are', rows!['issued'], operated.acceptances);
  compare('changes in the log are', await changesOf(stores, id), expected.changes);
  broken.push(...(await forgottenTraces(stores, id, expected.forgotten ?? [])));
  return [...broken, ...(await auditFindings([id], stores))];
}

/** Finished ones by kind; one that is not finished says so. */
export async function changesOf({ sql }: Pick<StoresUnderLoad, 'sql'>, couponId: string): Promise<Record<string, number>> {
  const rows = await sql(
    `SELECT kind || CASE WHEN finished_at IS NULL THEN ' (unfinished)' ELSE '' END AS change, count(*)::int AS times
     FROM operator_log WHERE coupon_id = $1 GROUP BY 1 ORDER BY 1`,
    [couponId],
  );
  return Object.fromEntries(rows.map((row) => [String(row['change']), Number(row['times'])]));
}

async function forgottenTraces(stores: StoresUnderLoad, couponId: string, userIds: readonly string[]): Promise<string[]> {
  const found = await leftovers(stores, couponId, userIds);
  for (const userId of userIds) {
    const named = await stores.sql('SELECT kind FROM operator_log l WHERE strpos(l::text, $1) > 0', [userId]);
    if (named.length > 0) found.push(`${couponId}: the log still names ${userId}`);
  }
  return found;
}
