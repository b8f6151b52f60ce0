/** Names of users in little space: most of them are a prefix and a number that rises by one. */
import type { UserNames } from '../checks/integrity.ts';

/** Names one after another: `prefix` + `start`, `prefix` + (`start` + 1), …, or as they are. */
export type NameRun = { prefix: string; start: number; count: number } | { ids: string[] };

/** A run costs about as much as this many names. */
const WORTH_A_RUN = 4;

export function nameRuns(users: UserNames): NameRun[] {
  const runs: NameRun[] = [];
  for (let user = 0; user < users.size;) {
    const count = risingFrom(users, user);
    const last = runs.at(-1);
    const numbered = count >= WORTH_A_RUN ? split(users.id(user)) : null;
    if (numbered) runs.push({ ...numbered, count });
    else {
      const ids = Array.from({ length: count }, (_, index) => users.id(user + index));
      if (last && 'ids' in last) last.ids.push(...ids);
      else runs.push({ ids });
    }
    user += count;
  }
  return runs;
}

/** How many names from this one on are the same prefix and the next number. */
function risingFrom(users: UserNames, from: number): number {
  const numbered = split(users.id(from));
  let count = 1;
  if (!numbered) return count;
  while (from + count < users.size && users.id(from + count) === `${numbered.prefix}${numbered.start + count}`) count += 1;
  return count;
}

function split(id: string): { prefix: string; start: number } | null {
  // Fifteen digits are exact in a double; whatever is left of them belongs to the prefix.
  const [, digits] = /(0|[1-9]\d{0,14})$/.exec(id) ?? [];
  return digits === undefined ? null : { prefix: id.slice(0, id.length - digits.length), start: Number(digits) };
}

export function namesOf(planned: number, runs: readonly NameRun[]): UserNames {
  const lengths = runs.map((run) => ('ids' in run ? run.ids.length : run.count));
  return {
    size: lengths.reduce((sum, length) => sum + length, 0),
    planned,
    id(user) {
      let index = user;
      for (const [place, run] of runs.entries()) {
        if (index < lengths[place]!) return 'ids' in run ? run.ids[index]! : `${run.prefix}${run.start + index}`;
        index -= lengths[place]!;
      }
      return '?';
    },
  };
}
