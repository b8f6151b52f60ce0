import type { Claim } from '../campaign/coupon.ts';
import type { AckRow } from '../campaign/ports/acknowledgement.ts';
import type { IssueLedger, IssueOptions, RefusalScope, Refused } from './ports.ts';

/** A row that the ledger refused when it was alone. */
export type RefusedRow = Refused & { claim: Claim; scope: RefusalScope };

/** What a batch came to. `rows` are in the ledger whatever else is said. */
export interface BatchResult {
  rows: AckRow[];
  /** Whether a row is to blame for its refusal is for the caller to judge: see `refusal-verdict.ts`. */
  refused: RefusedRow[];
  /**
   * Why the rest was not tried: another life of the coupon; claims that were `ended`; a constraint that no user of the batch is to blame
   * for; or `fruitless`, the ledger took no user in so many tries, or the time is up.
   */
  stopped: { status: 'epoch' | 'ended' } | { status: 'guarded'; constraint: string } | { status: 'fruitless' } | null;
}

/** A ledger that refuses everybody would otherwise be asked twice for each row. */
const FRUITLESS_TRIES = 64;
/** The same when each try may last as long as its time limit. */
const SLOW_TRIES = 20;
/** Larger parts change the half that they begin with from one delivery to the next, so that every row has its turn. */
const ROTATED = 16;

/** A database may drop a row without an error: a trigger that returns NULL, or a rule. */
const NOT_KEPT = 'the database kept no row and gave no error: a trigger or a rule dropped it';

/**
 * Issues a batch. When the ledger refuses it, the rows that it refuses are found by halving: k of them among n cost about 2 k log2(n)
 * statements more, and never stop the others. All of it takes at most about twice `options.timeoutMs`.
 *
 * @throws CouponError as the ledger does; rows of halves that were committed before are then issued and not returned, which is the
 *   same as a lost reply
 */
export async function issueBatch(
  ledger: IssueLedger,
  couponId: string,
  claims: readonly Claim[],
  options: IssueOptions,
): Promise<BatchResult> {
  const done: BatchResult = { rows: [], refused: [], stopped: null };
  const endMs = performance.now() + 2 * options.timeoutMs;
  const shortMs = options.timeoutMs / (4 * Math.log2(claims.length + 1));
  let slow = false;
  let tries = 0;
  const left: (readonly Claim[])[] = [claims];
  for (let part = left.pop(); part && !done.stopped; part = left.pop()) {
    const fruitless = done.rows.length === 0 && tries >= (slow ? SLOW_TRIES : FRUITLESS_TRIES);
    if (fruitless || (tries > 0 && performance.now() + (slow ? shortMs : 0) > endMs)) {
      done.stopped = { status: 'fruitless' };
      break;
    }
    tries += 1;
    const result = await ledger.issue(couponId, part, slow ? { ...options, timeoutMs: shortMs } : options);
    if (result.status === 'ok') {
      done.rows.push(...result.rows);
      const kept = new Set(result.rows.map((row) => row.userId));
      for (const claim of part) if (!kept.has(claim.userId)) done.refused.push(refusedRow(claim, { scope: 'row', reason: NOT_KEPT }));
    } else if (result.status !== 'refused') {
      done.stopped = result;
    } else if (part.length === 1) {
      done.refused.push(refusedRow(part[0]!, result));
    } else {
      // A time limit that the whole batch ran into would be up for each of its parts as well.
      slow ||= result.scope === 'moment';
      left.push(...halves(part));
    }
  }
  if (done.rows.length > 0) await confirmMoments(ledger, couponId, done, { ...options, timeoutMs: shortMs }, endMs);
  return done;
}

export function lowestFence(claims: readonly Claim[]): number {
  return claims.reduce((lowest, { fence }) => Math.min(lowest, fence), Number.POSITIVE_INFINITY);
}

/** The half that is tried first comes last; it is the earlier one, as everywhere. */
function halves(part: readonly Claim[]): (readonly Claim[])[] {
  const middle = Math.ceil(part.length / 2);
  const [earlier, later] = [part.slice(0, middle), part.slice(middle)];
  const turn = (part[0]!.deliveries - 1) >> Math.log2(part.length / ROTATED);
  return part.length > ROTATED && turn % 2 === 1 ? [earlier, later] : [later, earlier];
}

/** What only the moment refused is tried once more now that others got through: a lock or a conflict may be over. */
async function confirmMoments(
  ledger: IssueLedger,
  couponId: string,
  done: BatchResult,
  options: IssueOptions,
  endMs: number,
): Promise<void> {
  const doubtful = done.refused.filter((row) => row.scope === 'moment');
  done.refused = done.refused.filter((row) => row.scope !== 'moment');
  for (const row of doubtful) {
    if (done.stopped || performance.now() + options.timeoutMs > endMs) break;
    const again = await ledger.issue(couponId, [row.claim], options);
    if (again.status === 'ok') done.rows.push(...again.rows);
    else if (again.status === 'refused') done.refused.push(refusedRow(row.claim, again));
  }
}

function refusedRow(claim: Claim, { scope, reason }: { scope: RefusalScope; reason: string }): RefusedRow {
  return { userId: claim.userId, fence: claim.fence, reason, scope, claim };
}
