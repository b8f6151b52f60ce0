/**
 * Histories of a coupon: what users, workers, operators and disasters may do to it, one command after the other, and what each of them
 * does to the reference model. What comes from outside (times, ids) comes from outside here too, so that real stores may decide it.
 */
import fc from 'fast-check';
import { admit, queueElsewhere } from '../../src/core/campaign/admission.ts';
import { drop, retry } from '../../src/core/campaign/dead.ts';
import { emptyOutRedis, reset, restart, rollBackLedger, rollBackRedis, verify } from '../../src/core/campaign/doubt.ts';
import { repair } from '../../src/core/campaign/repair.ts';
import { seeded, type Campaign, type LedgerSide, type RedisSide } from '../../src/core/campaign/state.ts';
import { ackBatch, buryRefused, commitBatch, releaseRest, reportGuard, startPass, type Batch } from '../../src/core/campaign/worker.ts';

export const LEASE_MS = 600_000;
/** Deadline of a lease that has run out, in milliseconds. */
export const OVER = 1;
export const WORKERS = ['w1', 'w2', 'w3'] as const;
/** `bot-1` is one whose row the ledger refuses; `has space` can only come from another service. */
export const USERS = ['a', 'b', 'c', 'd', 'e', 'f', 'bot-1', 'has space'] as const;

export type WorkerStep = 'claim' | 'commit' | 'ack' | 'bury' | 'report' | 'release';

export type Command =
  | { kind: 'admit'; requests: { userId: string; requestId: string }[] }
  | { kind: 'foreign'; userId: string }
  /** The step that is due; or any of them, as a worker would take it whose reply was lost or who was stopped for long. */
  | { kind: 'work'; worker: string; limit: number; step?: WorkerStep }
  | { kind: 'crash'; worker: string }
  /** The leases of one of those who hold any run out; or the clock was set back since they were given. */
  | { kind: 'expire' | 'clockBack'; nth: number; worker?: string }
  | { kind: 'retry' | 'drop'; nth: number; userId?: string }
  | { kind: 'reset'; total: number }
  | { kind: Bare };

type Bare = 'verify' | 'restart' | 'repair' | 'emptyRedis' | 'snapshotRedis' | 'rollBackRedis' | 'snapshotLedger' | 'rollBackLedger';

const request = fc.record({
  userId: fc.constantFrom(...USERS.filter((userId) => userId !== 'has space')),
  requestId: fc.constantFrom('r1', 'r1', 'r2'),
});
const requests = fc.array(request, { minLength: 1, maxLength: 3 });
const worker = fc.constantFrom(...WORKERS);
const limit = fc.integer({ min: 1, max: 4 });
const step = fc.constantFrom<WorkerStep>('claim', 'commit', 'ack', 'bury', 'report', 'release');
const nth = fc.nat({ max: 5 });
const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });
const bare = (...kinds: Bare[]) => fc.record({ kind: fc.constantFrom(...kinds) });

/** Nothing that any store holds is lost. */
const HARMLESS = [
  weighted(20, fc.record({ kind: fc.constant('admit' as const), requests })),
  weighted(4, fc.record({ kind: fc.constant('foreign' as const), userId: fc.constantFrom(...USERS) })),
  weighted(60, fc.record({ kind: fc.constant('work' as const), worker, limit })),
  weighted(20, fc.record({ kind: fc.constant('work' as const), worker, limit, step })),
  weighted(2, fc.record({ kind: fc.constant('crash' as const), worker })),
  weighted(5, fc.record({ kind: fc.constant('expire' as const), nth })),
  weighted(1, bare('restart')),
  weighted(4, bare('verify')),
];
const OPERATED = [
  ...HARMLESS,
  weighted(12, fc.record({ kind: fc.constantFrom('retry' as const, 'drop' as const), nth })),
  weighted(2, fc.record({ kind: fc.constant('clockBack' as const), nth })),
  weighted(2, bare('repair')),
  weighted(1, fc.record({ kind: fc.constant('reset' as const), total: fc.nat({ max: 5 }) })),
];
const DISASTROUS = [
  ...OPERATED,
  weighted(3, bare('repair')),
  weighted(3, bare('verify')),
  weighted(5, bare('rollBackRedis', 'snapshotRedis')),
  weighted(4, bare('rollBackLedger', 'snapshotLedger')),
  weighted(1, bare('emptyRedis')),
];

const COMMITS = (['w1', 'w2'] as const).flatMap((name) =>
  (['commit', 'ack'] as const).map((one): Command => ({ kind: 'work', worker: name, limit: 1, step: one })),
);

/** Most commands find something to do, so that about half as many are done as the longest history has. */
const history = (of: readonly ReturnType<typeof weighted>[]) => (maxLength: number) =>
  fc.noBias(fc.array(fc.oneof(...of), { minLength: 1, maxLength, size: 'max' }));
export const harmless = history(HARMLESS);
export const operated = history(OPERATED);
export const disastrous = history(DISASTROUS);
/**
 * Disasters that begin with more promises than pieces: a worker holds users whom a Redis that was rolled back knows nothing of, and has
 * given the same pieces to others since.
 */
export const overPromised = (maxLength: number) =>
  fc
    .record({ first: requests, second: requests, limits: fc.tuple(limit, limit), steps: fc.subarray(COMMITS), then: disastrous(maxLength) })
    .map(({ first, second, limits, steps, then }): Command[] => [
      { kind: 'admit', requests: first },
      { kind: 'work', worker: 'w1', limit: limits[0], step: 'claim' },
      { kind: 'rollBackRedis' },
      { kind: 'verify' },
      { kind: 'admit', requests: second },
      { kind: 'work', worker: 'w2', limit: limits[1], step: 'claim' },
      ...steps,
      ...then,
    ]);

/** Pieces. Few, so that there are too few of them. */
export const totals = fc.constantFrom(2, 1, 3, 2, 1, 3, 4, 5, 0);

/** The model, what its workers remember, and the backups that were made of it. */
export interface World {
  campaign: Campaign;
  workers: Map<string, { batch: Batch; done: Set<WorkerStep> }>;
  backup: { redis: RedisSide; ledger: LedgerSide };
  /** Whom we owe a coupon: accepted, and not lost with the only store that knew it. */
  owed: Set<string>;
}

/** What the model does not decide. */
export interface Outside {
  nowMs: number;
  /** Time in Redis at which a request of this user arrives, microseconds. */
  nowUs(userId: string): number;
  issuedAt(userId: string): Date;
  /** Request time that another service writes, milliseconds. */
  foreignScore: number;
  /** Of the next server, and of the next life of the coupon. */
  server: string;
  epoch: string;
}

export function newWorld(total: number, epoch: string, server: string, couponId = '42'): World {
  const campaign = seeded({ couponId, server, refuses: (userId) => (userId.startsWith('bot-') ? '23514' : null) }, total, epoch);
  return {
    campaign,
    workers: new Map(),
    backup: { redis: structuredClone(campaign.redis), ledger: structuredClone(campaign.ledger) },
    owed: new Set(),
  };
}

/** The command with everything filled in that depends on where things are, or null: there is nothing to do. */
export function toDo(world: World, command: Command): Command | null {
  const { workers, campaign } = world;
  switch (command.kind) {
    case 'work': {
      const memory = workers.get(command.worker);
      const useful = memory ? usefulSteps(memory.batch) : [];
      const step = command.step ?? useful.find((one) => !memory!.done.has(one)) ?? (isAnybodyWaiting(campaign.redis) ? 'claim' : null);
      if (!step) return null;
      return step === 'claim' || useful.includes(step) ? { ...command, step } : null;
    }
    case 'crash':
      return workers.has(command.worker) ? command : null;
    case 'expire':
    case 'clockBack': {
      const worker = nthOf(
        command.nth,
        [...campaign.redis.leases.keys()].map((userId) => campaign.redis.claims.get(userId)!.worker),
      );
      return worker === null ? null : { ...command, worker };
    }
    case 'retry':
    case 'drop': {
      const userId = nthOf(command.nth, [...campaign.redis.dead.keys()]);
      return userId === null ? null : { ...command, userId };
    }
    default:
      return command;
  }
}

function nthOf(nth: number, names: readonly string[]): string | null {
  const distinct = [...new Set(names)].toSorted();
  return distinct[nth % distinct.length] ?? null;
}

function isAnybodyWaiting({ waiting, leases }: RedisSide): boolean {
  return waiting.size > 0 || [...leases.values()].some((deadline) => deadline === OVER);
}

/** In the order in which a worker takes them. */
function usefulSteps({ claims, result }: Batch): WorkerStep[] {
  if (!result) return ['commit', 'release'];
  const { rows, refused, stopped } = result;
  const steps: WorkerStep[] = ['commit'];
  if (rows.length > 0) steps.push('ack');
  if (refused.length > 0) steps.push('bury');
  if (stopped?.status === 'guarded') steps.push('report');
  if (rows.length + refused.length < claims.length) steps.push('release');
  return steps;
}

/** Does a command that {@link toDo} gave to the model, and says what the model answers. */
export function applyToModel(world: World, command: Command, outside: Outside): unknown {
  const { campaign, workers, backup, owed } = world;
  switch (command.kind) {
    case 'admit': {
      const answers = command.requests.map((one) => admit(campaign, one, outside.nowUs(one.userId)));
      command.requests.forEach(({ userId }, i) => answers[i]!.outcome === 'accepted' && owed.add(userId));
      return answers;
    }
    case 'foreign': {
      const queued = queueElsewhere(campaign, command.userId, outside.foreignScore);
      if (queued) owed.add(command.userId);
      return queued;
    }
    case 'work':
      return work(world, command, outside);
    case 'crash':
      workers.delete(command.worker);
      return 'done';
    case 'expire':
      return setDeadlines(campaign.redis, command.worker!, OVER);
    case 'clockBack':
      return setDeadlines(campaign.redis, command.worker!, outside.nowMs + 3 * LEASE_MS);
    case 'retry':
      return retry(campaign, command.userId!);
    case 'drop': {
      const answer = drop(campaign, command.userId!);
      if (answer === 'ok') owed.delete(command.userId!);
      return answer;
    }
    case 'reset':
      reset(campaign, command.total, outside.epoch);
      owed.clear();
      return 'done';
    case 'verify':
      return verify(campaign);
    case 'restart':
      restart(campaign, outside.server);
      return 'done';
    case 'repair':
      stillOwed(world);
      repair(campaign, outside.nowMs);
      return 'done';
    case 'snapshotRedis':
      backup.redis = structuredClone(campaign.redis);
      return 'done';
    case 'snapshotLedger':
      backup.ledger = structuredClone(campaign.ledger);
      return 'done';
    case 'rollBackRedis':
      rollBackRedis(campaign, backup.redis, outside.server);
      stillOwed(world);
      return 'done';
    case 'emptyRedis':
      emptyOutRedis(campaign, outside.server);
      stillOwed(world);
      return 'done';
    case 'rollBackLedger':
      rollBackLedger(campaign, backup.ledger);
      stillOwed(world);
      return 'done';
  }
}

function work(world: World, command: Extract<Command, { kind: 'work' }>, { nowMs, issuedAt }: Outside): unknown {
  const { campaign, workers } = world;
  const { worker: name, step: now } = command;
  if (now === 'claim') {
    const { batch, ...answer } = startPass(campaign, { worker: name, limit: command.limit, leaseMs: LEASE_MS }, nowMs);
    workers.delete(name);
    if (batch) workers.set(name, { batch, done: new Set() });
    return answer;
  }
  const { batch, done } = workers.get(name)!;
  done.add(now!);
  switch (now) {
    case 'commit':
      return commitBatch(campaign, batch, { worker: name, issuedAt });
    case 'ack':
      return ackBatch(campaign, batch);
    case 'bury':
      return buryRefused(campaign, batch);
    case 'report':
      reportGuard(campaign, batch);
      return 'done';
    case 'release':
      return releaseRest(campaign, batch);
    default:
      throw new Error('which step?');
  }
}

/** Whose leases were changed. */
function setDeadlines({ leases, claims }: RedisSide, worker: string, deadline: number): string[] {
  const held = [...leases.keys()].filter((userId) => claims.get(userId)?.worker === worker).toSorted();
  for (const userId of held) leases.set(userId, deadline);
  return held;
}

/** Of another life, and of what was lost with the store that alone knew it, nobody is owed anything. */
function stillOwed({ campaign, owed }: World): void {
  const { redis, ledger } = campaign;
  const oneLife = redis.coupon?.epoch === ledger.epoch;
  for (const userId of owed) {
    const known = ledger.rows.has(userId) || (oneLife && (redis.admitted.has(userId) || redis.waiting.has(userId)));
    if (!known) owed.delete(userId);
  }
}

/** Ends a history: whatever state it is left in, after a repair one more pass serves everybody. */
export const SETTLE: readonly Command[] = [
  ...WORKERS.map((worker): Command => ({ kind: 'crash', worker })),
  ...WORKERS.map((_, i): Command => ({ kind: 'expire', nth: i })),
  { kind: 'repair' },
  { kind: 'verify' },
  ...(['claim', 'commit', 'ack', 'bury', 'report', 'release'] as const).map((one): Command => {
    return { kind: 'work', worker: 'w1', limit: 100, step: one };
  }),
];
