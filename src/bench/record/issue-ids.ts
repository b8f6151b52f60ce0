import type { RequestRecord } from '../checks/integrity.ts';
import { issueName } from '../evidence/issued-row.ts';
import type { UserDirectory } from '../plan/user-plan.ts';
import type { IssueIds } from '../ports.ts';
import { columnsOf } from './record.ts';

/**
 * The record with the names that accepted replies gave. Two replies that name the same coupon to the same user are one acceptance: a
 * service may answer a repeat with what it answered before.
 *
 * @param apart issued coupons are told apart by their names: `user` of an accepted row is then the number of its coupon, and `asker` says
 *   who asked
 */
export function withIssueIds(record: RequestRecord, { row: rows, id: ids }: IssueIds, users: UserDirectory, apart: boolean): RequestRecord {
  const acceptance = record.requestId.slice();
  const user = record.user.slice();
  const first = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    const promise = `${record.coupon[row]} ${record.user[row]} ${ids[index]}`;
    const known = first.get(promise);
    if (known === undefined) first.set(promise, acceptance[row]!);
    else acceptance[row] = known;
    if (apart) user[row] = users.numberOf(issueName(ids[index]!));
  }
  return { ...columnsOf(record), acceptance, ...(apart ? { user, asker: record.user } : {}) };
}
