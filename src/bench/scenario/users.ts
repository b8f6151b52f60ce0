import { userIdProblem } from '../../campaign/ids.ts';
import type { Wanted } from './request.ts';
import type { ScenarioDocument } from './schema.ts';
import { MAX_USERS } from './schema-parts.ts';
import { readUserTable } from '../plan/user-file.ts';
import type { UserOptions } from '../plan/user-plan.ts';
import type { UserTable } from '../plan/user-table.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/** The text of a file that a scenario names, chunk by chunk; throws what the file system says. */
export type OpenFile = (path: string) => Iterable<string>;

/**
 * Who asks: users by rule, or from a CSV.
 *
 * @param variables that the request takes from the table
 */
export function usersOf({ users }: ScenarioDocument, variables: Wanted, open: OpenFile | undefined, report: Report): UserOptions {
  const { duplicateRate, impatience, hot, seed } = users;
  const asking = { duplicateRate, impatience, hot, seed };
  if (users.file !== undefined) {
    const table = tableOf(users, variables, open, report);
    return { ...asking, ...countOf(users, table, report), prefix: '', start: 0, table };
  }
  // Where it is missing, no further problem should follow from that.
  const { count = MAX_USERS, prefix = 'user-', start = 1 } = users;
  if (users.count === undefined) report(['users', 'count'], 'is missing');
  if (users.userId !== undefined) report(['users', 'userId'], 'names a column of `file`, which is missing');
  const last = `${prefix}${start + count - 1}`;
  const why = userIdProblem(last);
  if (why !== null) report(['users', 'prefix'], `"${last}" would not be a user id: it ${why}`);
  return { ...asking, count, prefix, start };
}

function tableOf(users: ScenarioDocument['users'], variables: Wanted, open: OpenFile | undefined, report: Report): UserTable | undefined {
  const { file = '', userId } = users;
  for (const key of ['prefix', 'start'] as const) {
    if (users[key] !== undefined) report(['users', key], 'goes not together with file');
  }
  if (userId === undefined) {
    report(['users', 'userId'], 'is missing: the column of the file that names the user');
    return undefined;
  }
  if (!open) {
    report(['users', 'file'], 'cannot be read from here');
    return undefined;
  }
  try {
    return readUserTable(open(file), { userId, columns: variables.all, inHeaders: variables.inHeaders });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    report(['users', 'file'], code === undefined ? `${file}: ${message}` : `${file} cannot be read (${code})`);
    return undefined;
  }
}

/** `count` takes the first of a longer file. */
function countOf({ count, file }: ScenarioDocument['users'], table: UserTable | undefined, report: Report): { count: number } {
  const there = table?.length ?? MAX_USERS;
  if (count !== undefined && count > there) report(['users', 'count'], `is more than the ${there} users of ${file}`);
  return { count: count ?? there };
}
