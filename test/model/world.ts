/** The reference model with everything around it that a history needs: workers with a memory, backups, and a clock. */
import { adopt } from './adopt.ts';
import { admit, occupy, queueElsewhere, rewrite } from './admission.ts';
import { drop, retry } from './dead.ts';
import { emptyOutRedis, evict, reset, restart, rollBackLedger, rollBackRedis, verify } from './doubt.ts';
import { isFormerLife, repair } from './repair.ts';
import { afterDeath, change, forget, mayForget, mayPurge } from './operate.ts';
import { mayChange, revoke } from './revoke.ts';
import { isUserId } from '../../src/campaign/ids.ts';
import { everybody } from './drift.ts';
import { use, usedAfterDeath } from './use.ts';
import { seeded, type Campaign, type LedgerSide, type RedisSide } from './state.ts';
import { ackBatch, buryRefused, commitBatch, releaseRest, reportGuard, startPass, type Batch } from './worker.ts';
import { AHEAD_US, LEASE_MS, OVER, TOMBSTONES, USERS, type Bare, type Command, type WorkerStep } from './history.ts';

/** The model, what its workers remember, and the backups that were made of it. */
export interface World {
  campaign: Campaign;
  workers: Map<string, { batch: Batch; done: Set<WorkerStep> }>;
  backup: { redis: RedisSide; ledger: LedgerSide };
  /** Whom we owe a coupon: accepted, and not lost with the only store that knew it. */
  owed: Set<string>;
  /** Tombstones that were not set yet. */
  tombstones: string[];
}

/** What the model does not decide. */
export interface Outside {
  nowMs: number;
  /** Time in Redis at which a request of this user arrives, microseconds. */
  nowUs(userId: string): number;
  issuedAt(userId: string): Date;
  usedAt: Date;
  revokedAt: Date;
  /** Request time that Redis gives to a user whose score is no time. */
  timeOf(userId: string): number;
  /** Request time that another service writes, milliseconds. */
  foreignScore: number;
  /** Of the next server, and of the next life of the coupon. */
  server: string;
  epoch: string;
  /** An adoption that died had come so far that the coupon was in service; null: it did not die. */
  wasInService: boolean | null;
  /** Of a reset while it lasts; of one that died, and of the next. */
  resetEpochs: readonly string[];
}

export function newWorld(total: number, epoch: string, server: string, couponId = '42'): World {
  const campaign = seeded({ couponId, server, refuses: (userId) => (userId.startsWith('bot-') ? '23514' : null) }, total, epoch);
  return {
    campaign,
    workers: new Map(),
    backup: { redis: structuredClone(campaign.redis), ledger: structuredClone(campaign.ledger) },
    owed: new Set(),
    tombstones: [...TOMBSTONES],
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
    case 'clockAhead': {
      const { coupon } = campaign.redis;
      return coupon?.epoch === campaign.ledger.epoch && coupon.lastUs > 0 ? command : null;
    }
    case 'letGo':
      return campaign.redis.coupon?.drainedBy ? command : null;
    case 'retry':
    case 'drop': {
      const userId = nthOf(command.nth, [...campaign.redis.dead.keys()]);
      return userId === null ? null : { ...command, userId };
    }
    case 'use': {
      const userId = nthOf(command.nth, [...campaign.ledger.rows.keys()]);
      return userId === null ? null : { ...command, userId };
    }
    case 'revoke': {
      const userId = mayChange(campaign) ? nthOf(command.nth, [...campaign.ledger.rows.keys()]) : null;
      return userId === null ? null : { ...command, userId };
    }
    case 'change':
      return mayChange(campaign) ? command : null;
    case 'purge':
    case 'adopt':
      return mayPurge(campaign) ? command : null;
    case 'forget': {
      const [tombstone] = world.tombstones;
      const userId = nthOf(command.nth, forgettable(world));
      return userId === null || tombstone === undefined ? null : { ...command, userId, tombstone };
    }
    case 'scribble': {
      const userId = nthOf(command.nth, [...campaign.redis.issued.keys()]);
      return userId === null ? null : { ...command, userId };
    }
    default:
      return command;
  }
}

/** Of those who can be users, also whom a worker remembers. */
function forgettable({ campaign }: World): string[] {
  const known = new Set(everybody(campaign));
  return USERS.filter((userId) => isUserId(userId) && known.has(userId) && mayForget(campaign, userId));
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
  const { campaign, workers, owed } = world;
  switch (command.kind) {
    case 'admit': {
      const answers = command.requests.map((one) => admit(campaign, one, outside.nowUs(one.userId)));
      command.requests.forEach(({ userId }, i) => answers[i]!.outcome === 'accepted' && owed.add(userId));
      return answers;
    }
    case 'foreign': {
      const queued = queueElsewhere(campaign, command.userId, command.score ?? outside.foreignScore);
      if (queued) owed.add(command.userId);
      return queued;
    }
    case 'occupy':
      return occupy(campaign, command.userId);
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
    case 'use':
      return usedAfterDeath(command, use(campaign, command.userId!, outside.usedAt));
    case 'revoke':
      return afterDeath(command, revoke(campaign, command.userId!, command.returnStock, outside.revokedAt));
    case 'change':
      return afterDeath(command, change(campaign, command));
    case 'forget': {
      const { userId, tombstone } = command;
      forget(campaign, userId!, tombstone!);
      world.tombstones = world.tombstones.filter((one) => one !== tombstone);
      if (owed.delete(userId!)) owed.add(tombstone!);
      return 'done';
    }
    case 'adopt':
      return adoptAndGoOn(world, command, outside);
    case 'purge':
    case 'reset':
      reset(campaign, command.total, outside.epoch, outside.resetEpochs);
      owed.clear();
      return 'done';
    case 'scribble':
      campaign.redis.issued.set(command.userId!, { ...campaign.redis.issued.get(command.userId!)!, used_at: command.text });
      return 'done';
    case 'rewrite':
      return noAnswer(rewrite(campaign, command.stock));
    case 'repair': {
      stillOwed(world);
      repair(campaign, command, outside);
      // The plan of a repair and its run are the same.
      return { asPlanned: true };
    }
    default:
      return BARE[command.kind](world, outside);
  }
}

/** Commands that need nothing but the world. */
const BARE: Record<Bare, (world: World, outside: Outside) => unknown> = {
  vacate: ({ campaign }) => noAnswer(campaign.redis.occupied.clear()),
  verify: ({ campaign }) => verify(campaign),
  letGo: ({ campaign }) => noAnswer((campaign.redis.coupon!.drainedBy = '')),
  restart: ({ campaign }, { server }) => noAnswer(restart(campaign, server)),
  clockAhead: ({ campaign }) => noAnswer((campaign.redis.coupon!.lastUs += AHEAD_US)),
  snapshotRedis: ({ campaign, backup }) => noAnswer((backup.redis = structuredClone(campaign.redis))),
  snapshotLedger: ({ campaign, backup }) => noAnswer((backup.ledger = structuredClone(campaign.ledger))),
  rollBackRedis(world, { server }) {
    rollBackRedis(world.campaign, world.backup.redis, server);
    return noAnswer(stillOwed(world));
  },
  evict(world) {
    evict(world.campaign);
    return noAnswer(stillOwed(world));
  },
  emptyRedis(world, { server }) {
    emptyOutRedis(world.campaign, server);
    return noAnswer(stillOwed(world));
  },
  rollBackLedger(world) {
    rollBackLedger(world.campaign, world.backup.ledger);
    return noAnswer(stillOwed(world));
  },
};

/** What is answered where there is nothing to say. */
function noAnswer(_effect: unknown): string {
  return 'done';
}

function work(world: World, command: Extract<Command, { kind: 'work' }>, { nowMs, issuedAt, timeOf }: Outside): unknown {
  const { campaign, workers } = world;
  const { worker: name, step: now } = command;
  if (now === 'claim') {
    const { batch, ...answer } = startPass(
      campaign,
      { ...command, worker: name, alone: command.alone === true, leaseMs: LEASE_MS, timeOf },
      nowMs,
    );
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

/** What comes while the command is dead is adopted as well, unless the coupon was in service by then. */
function adoptAndGoOn({ campaign, owed }: World, command: Extract<Command, { kind: 'adopt' }>, outside: Outside): unknown {
  const { found, comes, asks } = command;
  const comer = { userId: comes, spelling: 'plain' as const, score: outside.foreignScore };
  const died = command.dies !== null && outside.wasInService !== null;
  const inService = died && outside.wasInService === true;
  const isTaken = died && !inService && found.stock > 0;
  adopt(campaign, isTaken ? { ...found, stock: found.stock - 1, waiting: [...found.waiting, comer] } : found, outside);
  const came = inService ? queueElsewhere(campaign, comes, comer.score) : isTaken;
  const isAccepted = inService && admit(campaign, { userId: asks, requestId: 'r1' }, outside.nowUs(asks)).outcome === 'accepted';
  owed.clear();
  for (const userId of [...campaign.redis.waiting.keys(), ...campaign.ledger.rows.keys()]) owed.add(userId);
  return { came, isAccepted };
}

/** Whose leases were changed. */
function setDeadlines({ leases, claims }: RedisSide, worker: string, deadline: number): string[] {
  const held = [...leases.keys()].filter((userId) => claims.get(userId)?.worker === worker).toSorted();
  for (const userId of held) leases.set(userId, deadline);
  return held;
}

/** Of a life that is over, and of what was lost with the store that alone knew it, nobody is owed anything. */
function stillOwed({ campaign, owed }: World): void {
  const { redis, ledger } = campaign;
  const oneLife = !isFormerLife(campaign);
  for (const userId of owed) {
    const known = ledger.rows.has(userId) || (oneLife && (redis.admitted.has(userId) || redis.waiting.has(userId)));
    if (!known) owed.delete(userId);
  }
}

export const NOW_MS = 1_800_000_000_000;

/** Does commands to the model alone, by a clock that ticks with every question. */
export function modelPlayer(apply = applyToModel): (world: World, command: Command) => void {
  let ticks = 0;
  const tick = (): number => (ticks += 1);
  const outside: Outside = {
    nowMs: NOW_MS,
    nowUs: () => NOW_MS * 1_000 + tick(),
    issuedAt: () => new Date(NOW_MS + tick()),
    timeOf: () => NOW_MS * 1_000 + tick(),
    get usedAt() {
      return new Date(NOW_MS + tick());
    },
    get revokedAt() {
      return new Date(NOW_MS + tick());
    },
    get foreignScore() {
      return 1_790_000_000_000 + tick();
    },
    get wasInService() {
      return tick() % 2 === 0;
    },
    get server() {
      return `server-${tick()}`;
    },
    get epoch() {
      return `epoch-${tick()}`;
    },
    get resetEpochs() {
      return [`epoch-${tick()}`];
    },
  };
  return (world, command) => {
    const now = toDo(world, command);
    if (now) apply(world, now, outside);
  };
}
