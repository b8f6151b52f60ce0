import type { CheckResult } from '../../src/bench/checks/integrity.ts';
import {
  auditFindings,
  checkRecord,
  countsOf,
  idsOf,
  sentence,
  strangeAnswers,
  suspectsOf,
  type OracleStores,
  type Subject,
  type Verdict,
} from './oracle.ts';
import type { Loss } from './result.ts';

/** A repair pauses a coupon of which accepted users may be missing. */
const PAUSED = ['not_open'];

/** A blow, as far as it can be seen from the stores. */
export interface Struck {
  /** Users of each coupon whom neither store knows any more. */
  destroyed: Set<string>[];
  /** Of each coupon. */
  noticed: Loss['noticed'][];
  /** When `serve` was stopped for the blow, and when it went on: microseconds of the load's clock. */
  atUs: number;
  openUs: number;
}

/**
 * The verdict on a campaign that was robbed of users. They are taken out of the record up to the blow, as if they had never asked, and
 * all others must have what they were promised. Two checks are not made: when stock came back with lost users, "sold out" was said too
 * early, and claims that the blow took back are made again in another order.
 */
export async function judgeLoss(subject: Subject, stores: OracleStores, { destroyed, atUs }: Struck): Promise<Verdict> {
  const robbed = ({ user, coupon }: { user: number; coupon: number }): boolean => destroyed[coupon]!.has(`${subject.prefix}${user}`);
  const spared = { ...subject, rows: subject.rows.filter((row) => row.sentUs > atUs || !robbed(row)) };
  const whole = await checkRecord(subject, stores);
  const rest = await checkRecord(spared, stores);
  const failed = [...whole.filter(aboutPieces), ...rest.filter(aboutPromises)].filter(
    ({ status }) => status === 'fail' || status === 'not_checked',
  );
  const broken = [...failed.map(sentence), ...strangeAnswers(subject, PAUSED), ...(await auditFindings(idsOf(subject), stores))];
  const counts = { ...countsOf(subject, failed), lost: await countLost(subject, stores), inversions: 0 };
  return { broken, counts, suspects: suspectsOf(failed) };
}

/** A user who has a coupon asked for it, and has one. */
function aboutPieces({ check, reason }: CheckResult): boolean {
  return check === 'issued_were_accepted' || (check === 'one_per_user' && reason !== 'ACCEPTED_TWICE');
}

function aboutPromises({ check }: CheckResult): boolean {
  return ['issued_within_total', 'one_per_user', 'accepted_are_issued', 'stock_adds_up'].includes(check);
}

/** Users who were told "accepted" at any time and have no row in the end. */
async function countLost({ coupons, rows, prefix }: Subject, { sql }: OracleStores): Promise<number> {
  let lost = 0;
  for (const [coupon, { id }] of coupons.entries()) {
    const issued = new Set((await sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1', [id])).map((row) => row['user_id']));
    const accepted = new Set(
      rows.filter((row) => row.coupon === coupon && row.outcome === 'accepted').map(({ user }) => `${prefix}${user}`),
    );
    for (const userId of accepted) if (!issued.has(userId)) lost += 1;
  }
  return lost;
}
