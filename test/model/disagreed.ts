/** Histories over which the model and the stores once disagreed, and that seldom come about by chance; each by the histories that it is of. */
import type { Command } from './history.ts';

const work = (worker: string, limit: number, step: 'claim' | 'commit'): Command => ({ kind: 'work', worker, limit, step });
const asks = (...userIds: string[]): Command => ({ kind: 'admit', requests: userIds.map((userId) => ({ userId, requestId: 'r1' })) });

/**
 * More promises than coupons, and nobody who could give one up: `e` and `a` have rows, `f` is held by a worker. `a`, whose lease has run
 * out before its acknowledgement, is left to the next claim.
 */
const NOBODY_GIVES_UP: readonly Command[] = [
  asks('e'),
  work('w1', 1, 'claim'),
  { kind: 'rollBackRedis' },
  { kind: 'verify' },
  asks('a', 'f'),
  work('w2', 1, 'claim'),
  work('w3', 1, 'claim'),
  work('w1', 1, 'commit'),
  work('w2', 1, 'commit'),
  { kind: 'expire', nth: 0 },
  { kind: 'repair', reopen: false, confirm: false },
];

export const DISAGREED: Readonly<Record<string, [history: Command[], total: number][]>> = {
  'disasters that promise too much': [[[...NOBODY_GIVES_UP], 2]],
};
