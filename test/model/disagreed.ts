/** Histories over which the model and the stores once disagreed, and which chance seldom finds; together by kind, each with its total. */
import type { Command } from './history.ts';

type Step = NonNullable<Extract<Command, { kind: 'work' }>['step']>;

const work = (worker: string, limit: number, step: Step): Command => ({ kind: 'work', worker, limit, step });
const asks = (...userIds: string[]): Command => ({ kind: 'admit', requests: userIds.map((userId) => ({ userId, requestId: 'r1' })) });
const adopts = (stock: number): Command => ({
  kind: 'adopt',
  found: { stock, state: '', waiting: [], issued: [] },
  dies: null,
  comes: 'e',
  asks: 'e',
});
const repair: Command = { kind: 'repair', reopen: false, confirm: false };
/** Text of a member that is not UTF-8: its bytes sort after all letters, this text before them. */
const BYTES = '\\xac\\xed\\x00\\x05t\\x00\\x01a';

/**
 * More promises than coupons, and nobody who could give one up: `e` and `a` have rows, `f` is held by a worker. `a`, whose lease has run
 * out before its acknowledgement, is left to the next claim.
 */
const NOBODY_GIVES_UP: Command[] = [
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
  repair,
];

/** A repair that cannot end, because a worker holds `bot-1`, leaves the coupon without its stock: nothing can go back to that. */
const DROPPED_WITHOUT_STOCK: Command[] = [
  asks('a', 'b'),
  work('w1', 2, 'claim'),
  { kind: 'rollBackRedis' },
  { kind: 'verify' },
  asks('bot-1'),
  work('w2', 2, 'claim'),
  asks('f'),
  work('w1', 1, 'commit'),
  { kind: 'rewrite', stock: 'none' },
  repair,
  { kind: 'drop', nth: 0 },
];

/** Two members of one score that is no time, and one of them has to give up: the one that Redis has last. */
const LAST_BY_BYTES: Command[] = [
  { kind: 'change', change: 'close', force: true, dies: null },
  adopts(3),
  { kind: 'foreign', userId: 'a', score: 4.3e14 },
  { kind: 'rewrite', stock: 3 },
  { kind: 'verify' },
  { kind: 'forget', nth: 0, dies: null },
  { kind: 'foreign', userId: BYTES, score: 4.3e14 },
  asks('a', 'bot-1'),
];

/** `c` was accepted by a clock that was ahead: `a`, who has no time, comes after `c`. */
const TIMELESS_BEHIND_THE_FUTURE: Command[] = [
  { kind: 'foreign', userId: 'a', score: 0 },
  asks('b'),
  { kind: 'clockAhead' },
  asks('c'),
  work('w1', 2, 'claim'),
];

/** The same where the time is known from a claim alone, and one of those who wait has to give up: `a`, and not `b`. */
const TIMELESS_GIVES_UP: Command[] = [
  asks('e'),
  { kind: 'clockAhead' },
  asks('b', 'c'),
  work('w1', 2, 'claim'),
  work('w2', 1, 'claim'),
  work('w1', 2, 'release'),
  { kind: 'foreign', userId: 'a', score: 0 },
  { kind: 'rewrite', stock: 1 },
  { kind: 'foreign', userId: 'd' },
  repair,
];

export type Disagreed = readonly [history: Command[], total: number][];

export const CLOCKS: Disagreed = [
  [TIMELESS_BEHIND_THE_FUTURE, 5],
  [TIMELESS_GIVES_UP, 4],
];
export const ADOPTED: Disagreed = [[LAST_BY_BYTES, 2]];
export const OVER_PROMISED: Disagreed = [
  [NOBODY_GIVES_UP, 2],
  [DROPPED_WITHOUT_STOCK, 2],
];
