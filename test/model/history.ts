/**
 * Histories of a coupon: what users, other services, workers, operators and disasters may do to it, one command after the other.
 * `world.ts` does them to the reference model, `stores.ts` to real stores.
 */
import fc from 'fast-check';
import type { Spelling, ThirdPartyCoupon } from './adopt.ts';
import type { ChangeAsked } from './operate.ts';

export const LEASE_MS = 600_000;
/** By how much the clock of Redis was ahead. */
export const AHEAD_US = 3_600_000_000;
/** Deadline of a lease that has run out, in milliseconds. */
export const OVER = 1;
export const WORKERS = ['w1', 'w2', 'w3'] as const;
/** `bot-1` is one whose row the ledger refuses; the last ones can only come from another service. The very last is of bytes. */
export const USERS = ['a', 'b', 'c', 'd', 'e', 'f', 'bot-1', 'has space', '"kim"', '\\xac\\xed\\x00\\x05t\\x00\\x01a'] as const;
const NO_USER_IDS: readonly string[] = USERS.slice(USERS.indexOf('has space'));

/** No times; and one time in each unit. Undefined: milliseconds of now. */
const SCORES = [undefined, undefined, undefined, Number.POSITIVE_INFINITY, -1, 0, 1e300, 4.3e14, 1_790_000_000, 1_790_000_000e9] as const;

/** What stands for users who were forgotten: each once. */
export const TOMBSTONES = ['gone-1', 'gone-2', 'gone-3', 'gone-4'] as const;
/** Everyone who can be found in the stores. */
export const NAMES: readonly string[] = [...USERS, ...TOMBSTONES];

export type WorkerStep = 'claim' | 'commit' | 'ack' | 'bury' | 'report' | 'release';

/** Which of the calls, and whether before or after it; null: at none. Beyond the last one: at none, too. */
export type Death = { call: number; when: 'before' | 'after' } | null;

export type Command =
  | { kind: 'admit'; requests: { userId: string; requestId: string }[] }
  | { kind: 'foreign'; userId: string; score?: number | undefined }
  /** The step that is due; or any of them, as a worker would take it whose reply was lost or who was stopped for long. `alone`: it keeps others that do the same off the backlog. */
  | { kind: 'work'; worker: string; limit: number; alone?: boolean; step?: WorkerStep }
  | { kind: 'crash'; worker: string }
  /** The leases of one of those who hold any run out; or the clock was set back since they were given. */
  | { kind: 'expire' | 'clockBack'; nth: number; worker?: string }
  /** One of those who are dead. */
  | { kind: 'retry' | 'drop'; nth: number; userId?: string }
  /** One of those who are issued. On real stores the command dies at this of its calls, and is run again; so do those that follow. */
  | { kind: 'use'; nth: number; dies: Death; userId?: string }
  /** An operator takes the coupon of one of the issued ones back. */
  | { kind: 'revoke'; nth: number; returnStock: boolean; dies: Death; userId?: string }
  /** An operator changes the coupon in both stores. */
  | ({ kind: 'change'; dies: Death } & ChangeAsked)
  /** One of those who are known is forgotten; the coupon is purged, if that may be, and seeded afresh. */
  | { kind: 'forget'; nth: number; dies: Death; userId?: string; tombstone?: string }
  | { kind: 'purge'; total: number; dies: Death }
  /**
   * The coupon is purged, if that may be. A third-party service begins one under its id, and an operator adopts that. If the command dies,
   * the service takes the request of `comes`, and `asks` asks here, before it is run again.
   */
  | { kind: 'adopt'; found: ThirdPartyCoupon; dies: Death; comes: string; asks: string }
  /** Another program writes this into used_at of an issued hash. */
  | { kind: 'scribble'; nth: number; text: string; userId?: string }
  /** Another program writes a set where the issued hash of a user would be. */
  | { kind: 'occupy'; userId: string }
  /** Another program writes the hash of the coupon as a whole, with the present stock, without any, or with one of its own. */
  | { kind: 'rewrite'; stock: 'kept' | 'none' | number }
  | { kind: 'repair'; reopen: boolean; confirm: boolean }
  | { kind: 'reset'; total: number; dies: Death }
  | { kind: Bare };

/** `vacate`: what another program wrote over issued hashes is moved away. */
export type Bare =
  | 'vacate'
  | 'verify'
  /** The worker that drains the backlog alone has claimed nothing for a while. */
  | 'letGo'
  | 'restart'
  | 'evict'
  | 'emptyRedis'
  | 'snapshotRedis'
  | 'rollBackRedis'
  | 'snapshotLedger'
  | 'rollBackLedger'
  /** The clock of Redis was ahead while the last one asked. */
  | 'clockAhead';

const request = fc.record({
  userId: fc.constantFrom(...USERS.filter((userId) => !NO_USER_IDS.includes(userId))),
  requestId: fc.constantFrom('r1', 'r1', 'r2'),
});
const requests = fc.array(request, { minLength: 1, maxLength: 3 });
const worker = fc.constantFrom(...WORKERS);
const limit = fc.integer({ min: 1, max: 4 });
const step = fc.constantFrom<WorkerStep>('claim', 'commit', 'ack', 'bury', 'report', 'release');
const nth = fc.nat({ max: 5 });
const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });
const repair = fc.record({ kind: fc.constant('repair' as const), reopen: fc.boolean(), confirm: fc.boolean() });
const dies: fc.Arbitrary<Death> = fc.option(
  fc.record({ call: fc.nat({ max: 7 }), when: fc.constantFrom('before' as const, 'after' as const) }),
  {
    freq: 2,
  },
);
const by = fc.integer({ min: 1, max: 3 });
/** A paused coupon is resumed more often than not, and few are closed: otherwise nobody would be admitted any more. */
const changeAsked: fc.Arbitrary<ChangeAsked> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<ChangeAsked>({ change: 'pause' }) },
  { weight: 5, arbitrary: fc.constant<ChangeAsked>({ change: 'resume' }) },
  { weight: 1, arbitrary: fc.boolean().map((force): ChangeAsked => ({ change: 'close', force })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('restock' as const, 'extend' as const, 'rename' as const, 'edit' as const), by)
      .map(([kind, n]): ChangeAsked => ({ change: kind, by: n })),
  },
);
/** Whom a third-party service knows by an id that may stand here, too. */
const ADOPTED = ['a', 'b', 'c', 'd', 'bot-1'] as const;
/** Who may come while a coupon is being adopted. */
const COMERS = ['e', 'f'] as const;
/** All of them past. */
const REQUEST_TIMES = [1_790_000_000, 1_790_000_000_500, 1_790_000_001_000, 1_790_000_002e9, 1_790_000_002_000] as const;
const ISSUED_FIELDS: readonly Readonly<Record<string, string>>[] = [
  { used_at: '' },
  { used_at: 'null' },
  {},
  { used_at: '2026-11-20T03:04:05Z', issued_at: '2026-11-19T00:00:00Z' },
  { used_at: '', revoked_at: '2026-11-20T00:00:00Z' },
];
const queued = fc.record({
  userId: fc.constantFrom(...ADOPTED),
  spelling: fc.constantFrom<Spelling>('plain', 'json', 'object'),
  score: fc.constantFrom(...REQUEST_TIMES),
});
/** The ledger has rules of its own about `bot-1`. */
const issuedThere = fc.record({ userId: fc.constantFrom(...ADOPTED.slice(0, -1)), fields: fc.constantFrom(...ISSUED_FIELDS) });
const thirdPartyCoupon: fc.Arbitrary<ThirdPartyCoupon> = fc.record({
  stock: fc.nat({ max: 3 }),
  state: fc.constantFrom('' as const, '' as const, 'open' as const, 'open' as const, 'paused' as const, 'closed' as const),
  waiting: fc.uniqueArray(queued, { maxLength: 5, selector: ({ userId, spelling }) => `${userId} ${spelling}` }),
  issued: fc.uniqueArray(issuedThere, { maxLength: 3, selector: ({ userId }) => userId }),
});
const adopt = fc.record({
  kind: fc.constant('adopt' as const),
  found: thirdPartyCoupon,
  dies: fc.option(fc.record({ call: fc.nat({ max: 12 }), when: fc.constantFrom('before' as const, 'after' as const) }), { freq: 4 }),
  comes: fc.constantFrom(...COMERS),
  asks: fc.constantFrom(...COMERS),
});
const bare = (...kinds: Bare[]) => fc.record({ kind: fc.constantFrom(...kinds) });

/** Nothing is lost, and users only move from Redis into the ledger. */
const HARMLESS = [
  weighted(20, fc.record({ kind: fc.constant('admit' as const), requests })),
  weighted(4, fc.record({ kind: fc.constant('foreign' as const), userId: fc.constantFrom(...USERS), score: fc.constantFrom(...SCORES) })),
  weighted(60, fc.record({ kind: fc.constant('work' as const), worker, limit, alone: fc.boolean() })),
  weighted(20, fc.record({ kind: fc.constant('work' as const), worker, limit, alone: fc.boolean(), step })),
  weighted(2, fc.record({ kind: fc.constant('crash' as const), worker })),
  weighted(5, fc.record({ kind: fc.constant('expire' as const), nth })),
  weighted(2, fc.record({ kind: fc.constant('occupy' as const), userId: fc.constantFrom('a', 'b', 'c') })),
  weighted(1, bare('restart', 'vacate')),
  weighted(4, bare('verify', 'letGo')),
];
/** Nothing is lost. */
const OPERATED = [
  ...HARMLESS,
  weighted(4, fc.record({ kind: fc.constant('use' as const), nth, dies })),
  weighted(12, fc.record({ kind: fc.constantFrom('retry' as const, 'drop' as const), nth })),
  weighted(4, fc.record({ kind: fc.constant('revoke' as const), nth, returnStock: fc.boolean(), dies })),
  weighted(
    8,
    fc.tuple(changeAsked, dies).map(([asked, death]) => ({ kind: 'change' as const, ...asked, dies: death })),
  ),
  weighted(2, fc.record({ kind: fc.constant('forget' as const), nth, dies })),
  weighted(3, fc.record({ kind: fc.constant('purge' as const), total: fc.nat({ max: 5 }), dies })),
  weighted(3, adopt),
  weighted(2, fc.record({ kind: fc.constant('clockBack' as const), nth })),
  weighted(2, repair),
  weighted(1, fc.record({ kind: fc.constant('reset' as const), total: fc.nat({ max: 5 }), dies })),
];
/** Another program rewrites the hash of the coupon: nothing that matters is lost. */
const REWRITTEN = [
  ...OPERATED,
  weighted(5, fc.record({ kind: fc.constant('rewrite' as const), stock: fc.constantFrom('kept' as const, 'none' as const, 3) })),
  weighted(5, repair),
];
const DISASTROUS = [
  ...REWRITTEN,
  weighted(3, fc.record({ kind: fc.constant('scribble' as const), nth, text: fc.constantFrom('null', 'soon', '0', '2026-11-25T12:00') })),
  weighted(3, bare('verify')),
  weighted(5, bare('rollBackRedis', 'snapshotRedis')),
  weighted(4, bare('rollBackLedger', 'snapshotLedger')),
  weighted(1, bare('emptyRedis')),
  weighted(2, bare('evict')),
];

/** Redis evicts the keys that say who was accepted and issued, and nobody restarts anything. */
const EVICTING = [...OPERATED, weighted(6, bare('evict')), weighted(3, repair)];

/** Most commands find something to do, so that about half as many are done as the longest history has. */
const history = (of: readonly ReturnType<typeof weighted>[]) => (maxLength: number) =>
  fc.noBias(fc.array(fc.oneof(...of), { minLength: 1, maxLength, size: 'max' }));
export const harmless = history(HARMLESS);
export const operated = history(OPERATED);
export const rewritten = history(REWRITTEN);
export const rewrittenAhead = history([...REWRITTEN, weighted(4, bare('clockAhead'))]);
export const evicting = history(EVICTING);
export const disastrous = history(DISASTROUS);
/** Steps of two workers in any order, each at most once. */
const mixedSteps = fc.shuffledSubarray(
  (['w1', 'w2'] as const).flatMap((name) =>
    (['commit', 'ack', 'bury', 'release'] as const).map((one): Command => ({ kind: 'work', worker: name, limit: 1, step: one })),
  ),
);

/** They begin with a worker that is stopped for so long that another one is given the same users. */
export const late = (maxLength: number) =>
  fc
    .record({ first: requests, steps: mixedSteps, rest: harmless(maxLength) })
    .map(({ first, steps, rest }): Command[] => [
      { kind: 'admit', requests: first },
      { kind: 'work', worker: 'w1', limit: 2, step: 'claim' },
      { kind: 'expire', nth: 0 },
      { kind: 'work', worker: 'w2', limit: 2, step: 'claim' },
      ...steps,
      ...rest,
    ]);

/** They begin with a coupon that is adopted from a third-party service. */
const adoptedFirst = (of: readonly ReturnType<typeof weighted>[]) => (maxLength: number) =>
  fc
    .record({ first: adopt, rest: history(of)(maxLength) })
    .map(({ first, rest }): Command[] => [{ kind: 'change', change: 'close', force: true, dies: null }, first, ...rest]);
export const adopted = adoptedFirst(OPERATED);
export const adoptedAndEvicted = adoptedFirst(EVICTING);
export const adoptedAndLost = adoptedFirst(DISASTROUS);

/**
 * They begin with more promises than coupons: a worker holds users whom a Redis that was rolled back knows nothing of, and has given the
 * same coupons to others since.
 */
export const overPromised = (maxLength: number) =>
  fc
    .record({ first: requests, second: requests, steps: mixedSteps, rest: disastrous(maxLength) })
    .map(({ first, second, steps, rest }): Command[] => [
      { kind: 'admit', requests: first },
      { kind: 'work', worker: 'w1', limit: 2, step: 'claim' },
      { kind: 'rollBackRedis' },
      { kind: 'verify' },
      { kind: 'admit', requests: second },
      { kind: 'work', worker: 'w2', limit: 2, step: 'claim' },
      ...steps,
      ...rest,
    ]);

/** Pieces. Few, so that there are too few of them. */
export const totals = fc.constantFrom(2, 1, 3, 2, 1, 3, 4, 5, 0);

/**
 * Ends a history: whatever state it is left in, after a repair one more pass serves everybody. Only then is it known that somebody whom
 * another service queued had a coupon already, from a time that Redis has forgotten; so the second repair.
 */
export const SETTLE: readonly Command[] = [
  { kind: 'vacate' },
  ...WORKERS.map((name): Command => ({ kind: 'crash', worker: name })),
  ...WORKERS.map((_, i): Command => ({ kind: 'expire', nth: i })),
  { kind: 'repair', reopen: true, confirm: true },
  { kind: 'verify' },
  ...(['claim', 'commit', 'ack', 'bury', 'report', 'release'] as const).map((one): Command => {
    return { kind: 'work', worker: 'w1', limit: 100, step: one };
  }),
  { kind: 'repair', reopen: true, confirm: true },
];
