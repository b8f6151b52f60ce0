/**
 * Histories of a coupon on real stores, through the real adapters, and what is in the stores afterwards in the words of the reference
 * model. Disasters are made by hand: leases run out by their deadlines, a restarted server is a coupon that was checked for another one.
 */
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { dropDead, retryDead } from '../../src/operate/dead.ts';
import { issueBatch, lowestFence, type BatchResult } from '../../src/drain/issue-batch.ts';
import type { AdoptPorts } from '../../src/operate/adopt/adopt.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import type { ClaimQueue } from '../../src/drain/ports.ts';
import type { DeadUsers } from '../../src/operate/ports.ts';
import { repair, type RepairPorts } from '../../src/audit/repair/repair.ts';
import { isLedgerBehind, verifyAgainstLedger } from '../../src/campaign/verify-coupon.ts';
import { unsettled } from './worker.ts';
import type { Claim } from '../../src/campaign/coupon.ts';
import { ledgerRepairs } from '../../src/stores/postgres/ledger-repairs.ts';
import { toBytes } from '../../src/stores/redis/keys/members.ts';
import { redisDead } from '../../src/stores/redis/dead.ts';
import { redisRepairs } from '../../src/stores/redis/repairs.ts';
import { adoptThirdParty, queueElsewhere } from './adopting.ts';
import { AHEAD_US, LEASE_MS, NAMES, OVER, USERS, type Bare, type Command } from './history.ts';
import { operate, type Happened } from './operators.ts';
import { ID, KEYS } from './reading.ts';
import { adoptPorts } from '../support/adopt.ts';
import type { TestStores } from '../support/stores.ts';

const { issued: issuedKey, ...OTHER_KEYS } = KEYS;
const ALL_KEYS = [...Object.values(OTHER_KEYS), ...NAMES.map((userId) => issuedKey(userId))];
export const AUDIT = { couponIds: [ID], scan: true, keyStyle: 'plain' };
const SILENT = { mended: () => undefined, looked: () => undefined };
const ANOTHER_SERVER = 'another-server';

/** Everything that a command may call. A test may put faulty ones in their place. */
export interface CampaignPorts {
  admission: Admission;
  claims: ClaimQueue;
  ledger: Ledger;
  dead: DeadUsers;
  repair: RepairPorts;
  adopt: AdoptPorts;
}

interface Batch {
  epoch: string;
  claims: Claim[];
  result: BatchResult | null;
}

export interface RealCampaign {
  stores: TestStores;
  ports: CampaignPorts;
  workers: Map<string, Batch>;
  backup: { redis: (Buffer | null)[]; ledger: string };
}

export function campaignPorts(stores: TestStores): CampaignPorts {
  const { connection, database, admission, claims, ledger, coupons, reader } = stores;
  // Nothing moves while an audit looks: a second look need not wait.
  const clock = { ...systemClock, sleep: async (): Promise<void> => undefined };
  const redis = redisRepairs(connection, 'plain');
  const repairs = ledgerRepairs(database);
  return {
    admission,
    claims,
    ledger,
    dead: redisDead(connection, 'plain'),
    repair: { reader, ledger, clock, claims, coupons, redis, repairs },
    adopt: adoptPorts(stores),
  };
}

/** A row that an operator's own rule refuses, as `bot-1` of the histories. */
export async function refuseBots({ sql }: TestStores): Promise<void> {
  await sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%')`);
}

export async function newRealCampaign(stores: TestStores, ports: CampaignPorts, total: number): Promise<RealCampaign> {
  await stores.redis.flushdb();
  // A few rows: this is much quicker than TRUNCATE.
  await stores.sql('DELETE FROM issued_coupons; DELETE FROM coupons; DELETE FROM coupon_ended_epochs; DELETE FROM operator_log');
  await stores.seed({ id: ID, total });
  const real: RealCampaign = { stores, ports, workers: new Map(), backup: { redis: [], ledger: '' } };
  Object.assign(real.backup, { redis: await dumpRedis(stores), ledger: await dumpLedger(stores) });
  return real;
}

const done: Happened = { answer: 'done', outside: {} };

export async function applyToStores(real: RealCampaign, command: Command): Promise<Happened> {
  const { stores, ports, workers } = real;
  const { ledger } = ports;
  const deadPorts = { dead: ports.dead, reader: stores.reader, ledger, keyStyle: 'plain' };
  switch (command.kind) {
    case 'admit': {
      const answers = await ports.admission.admit(ID, command.requests);
      const times = new Map(command.requests.map(({ userId }, i) => [userId, answers[i]!.firstRequestUs ?? 0]));
      // The clock of the store is not that of the model.
      const answer = answers.map(({ atMs: _atMs, ...told }) => told);
      return { answer, outside: { nowUs: (userId) => times.get(userId)! } };
    }
    case 'foreign': {
      const foreignScore = command.score ?? Date.now();
      return { answer: await queueElsewhere(stores, command.userId, foreignScore), outside: { foreignScore } };
    }
    case 'occupy':
      return { answer: await occupy(stores, command.userId), outside: {} };
    case 'work':
      return work(real, command);
    case 'crash':
      workers.delete(command.worker);
      return done;
    case 'expire':
      return { answer: await setDeadlines(stores, command.worker!, OVER), outside: {} };
    case 'clockBack':
      return { answer: await setDeadlines(stores, command.worker!, Date.now() + 3 * LEASE_MS), outside: {} };
    case 'retry':
      return { answer: (await retryDead(deadPorts, ID, [command.userId!])).users[0]!.outcome, outside: {} };
    case 'drop':
      return { answer: (await dropDead(deadPorts, ID, [command.userId!])).users[0]!.outcome, outside: {} };
    case 'use':
    case 'revoke':
    case 'change':
    case 'forget':
    case 'purge':
    case 'reset':
      return operate(stores, ports, command);
    case 'adopt':
      return adoptThirdParty(stores, ports.adopt, command);
    case 'scribble':
      await stores.redis.hset(KEYS.issued(command.userId!), 'used_at', command.text);
      return done;
    case 'rewrite': {
      const stock = command.stock === 'kept' ? await stores.redis.hget(KEYS.coupon, 'stock') : command.stock;
      const fields = stock === 'none' || stock === null ? {} : { stock };
      const { total } = (await ledger.coupon(ID))!;
      await stores.redis.del(KEYS.coupon);
      await stores.redis.hset(KEYS.coupon, { name: 'summer', total, ...fields });
      return done;
    }
    case 'repair': {
      const options = { ...AUDIT, ...command };
      const { plan } = await repair(ports.repair, { ...options, dryRun: true }, SILENT);
      const report = await repair(ports.repair, { ...options, dryRun: false }, SILENT);
      const planned = plan.takesAway.length > 0 && !command.confirm ? [] : plan.steps;
      const counts = (steps: readonly { step: string; count: number }[]) => steps.map(({ step, count }) => `${step} ${count}`).toSorted();
      const asPlanned = isDeepStrictEqual(report.plan, plan) && isDeepStrictEqual(counts(report.done), counts(planned));
      const answer = asPlanned ? { asPlanned } : { plan, found: report.plan, planned: counts(planned), done: counts(report.done) };
      return { answer, outside: { timeOf: await timesGiven(stores) } };
    }
    default:
      return { answer: await BARE[command.kind](real), outside: {} };
  }
}

const BARE: Record<Bare, (real: RealCampaign) => Promise<unknown>> = {
  async vacate({ stores: { redis } }) {
    for (const userId of USERS) if ((await redis.type(KEYS.issued(userId))) !== 'hash') await redis.del(KEYS.issued(userId));
    return 'done';
  },
  async verify({ stores, ports }) {
    const answer = await verifyAgainstLedger({ verification: stores.coupons, ledger: ports.ledger }, (await ports.ledger.coupon(ID))!);
    return answer.status === 'ok' ? { status: 'ok' } : answer;
  },
  async letGo({ stores: { redis } }) {
    const [worker] = ((await redis.hget(KEYS.coupon, 'drained_by')) ?? '').split(':');
    if (worker) await redis.hset(KEYS.coupon, 'drained_by', `${worker}:${OVER}`);
    return 'done';
  },
  async restart({ stores }) {
    await restart(stores);
    return 'done';
  },
  async clockAhead({ stores: { redis } }) {
    await redis.hincrby(KEYS.coupon, 'last_us', AHEAD_US);
    return 'done';
  },
  async snapshotRedis({ stores, backup }) {
    backup.redis = await dumpRedis(stores);
    return 'done';
  },
  async snapshotLedger({ stores, backup }) {
    backup.ledger = await dumpLedger(stores);
    return 'done';
  },
  async rollBackRedis({ stores, backup }) {
    await stores.redis.del(...ALL_KEYS);
    await Promise.all(ALL_KEYS.map(async (key, i) => backup.redis[i] && stores.redis.restore(key, 0, backup.redis[i])));
    await restart(stores);
    return 'done';
  },
  async evict({ stores: { redis } }) {
    await redis.del(KEYS.admitted);
    for (const userId of NAMES) if ((await redis.type(KEYS.issued(userId))) === 'hash') await redis.del(KEYS.issued(userId));
    return 'done';
  },
  async emptyRedis({ stores }) {
    await stores.redis.flushdb();
    return 'done';
  },
  async rollBackLedger({ stores, backup }) {
    await stores.sql(backup.ledger);
    return 'done';
  },
};

/** One step of `drain/pass.ts`. */
async function work(real: RealCampaign, command: Extract<Command, { kind: 'work' }>): Promise<Happened> {
  const { stores, workers } = real;
  const { ledger, claims } = real.ports;
  const { worker, limit, alone, step } = command;
  if (step === 'claim') {
    workers.delete(worker);
    const coupon = (await ledger.coupon(ID))!;
    const held = alone ? { holdMs: LEASE_MS } : {};
    const answer = await claims.claim(ID, { epoch: coupon.epoch, limit, leaseMs: LEASE_MS, worker, ...held });
    // Why a coupon is suspect stands in the coupon, which is compared anyway.
    if (answer.status !== 'ok') return { answer: { answer: { status: answer.status }, behind: false }, outside: {} };
    const behind = await isLedgerBehind({ verification: stores.coupons, ledger }, coupon, answer.acked);
    if (behind) await claims.release(ID, coupon.epoch, answer.claims);
    else if (answer.claims.length > 0) workers.set(worker, { epoch: coupon.epoch, claims: answer.claims, result: null });
    return { answer: { answer, behind }, outside: { timeOf: await timesGiven(stores) } };
  }
  const batch = workers.get(worker)!;
  const { epoch, result } = batch;
  switch (step) {
    case 'commit': {
      batch.result = await issueBatch(ledger, ID, batch.claims, { epoch, worker, timeoutMs: 10_000 });
      const times = new Map(batch.result.rows.map((row) => [row.userId, row.issuedAt]));
      const refused = batch.result.refused.map(({ userId, fence, reason }) => ({ userId, fence, reason }));
      return { answer: { ...batch.result, refused }, outside: { issuedAt: (userId) => times.get(userId) ?? new Date(0) } };
    }
    case 'ack':
      return { answer: await claims.ack(ID, epoch, result!.rows, { fence: lowestFence(batch.claims) }), outside: {} };
    case 'bury':
      return { answer: await claims.bury(ID, epoch, result!.refused), outside: {} };
    case 'report':
      if (result?.stopped?.status === 'guarded') await stores.coupons.markSuspect(ID, epoch, result.stopped.constraint);
      return done;
    case 'release':
      return { answer: await claims.release(ID, epoch, unsettled(batch)), outside: {} };
    default:
      throw new Error('which step?');
  }
}

/** What Redis has decided, from the admissions. */
async function timesGiven({ redis }: TestStores): Promise<(userId: string) => number> {
  const records = await redis.hmgetBuffer(KEYS.admitted, ...NAMES.map(toBytes));
  return (userId) => Number.parseFloat(String(records[NAMES.findIndex((one) => one === userId)]));
}

async function occupy({ redis }: TestStores, userId: string): Promise<boolean> {
  if ((await redis.type(KEYS.issued(userId))) === 'hash') return false;
  await redis.sadd(KEYS.issued(userId), 'x');
  return true;
}

async function setDeadlines({ redis }: TestStores, worker: string, deadline: number): Promise<string[]> {
  const leased = await redis.zrange(KEYS.leases, 0, '-1');
  const records = await redis.hmget(KEYS.claims, ...leased);
  const held = leased.filter((_, i) => records[i]?.split(':')[1] === worker).toSorted();
  await redis.zadd(KEYS.leases, ...held.flatMap((userId) => [deadline, userId]));
  return held;
}

async function restart({ redis }: TestStores): Promise<void> {
  if ((await redis.exists(KEYS.coupon)) === 1) await redis.hset(KEYS.coupon, 'run', ANOTHER_SERVER);
}

async function dumpRedis({ redis }: TestStores): Promise<(Buffer | null)[]> {
  return Promise.all(ALL_KEYS.map(async (key) => redis.dumpBuffer(key)));
}

/** As one statement that brings it back. */
async function dumpLedger({ sql }: TestStores): Promise<string> {
  const tables = ['coupons', 'issued_coupons', 'coupon_ended_epochs'];
  const [dump] = await sql(`SELECT ${tables.map((table) => `(SELECT json_agg(t)::text FROM ${table} t) AS ${table}`).join(', ')}`);
  const literal = (table: string): string => pg.escapeLiteral((dump![table] as string | null) ?? '[]');
  const inserts = tables.map((table) => `INSERT INTO ${table} SELECT * FROM json_populate_recordset(null::${table}, ${literal(table)})`);
  return ['DELETE FROM issued_coupons', 'DELETE FROM coupons', 'DELETE FROM coupon_ended_epochs', ...inserts].join('; ');
}
