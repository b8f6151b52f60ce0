/**
 * Histories of a coupon on real stores, through the real adapters, and what is in the stores afterwards in the words of the reference
 * model. Disasters are made by hand: leases run out by their deadlines, a restarted server is a coupon that was checked for another one.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { audit, type AuditReport } from '../../src/app/audit.ts';
import { dropDead, retryDead } from '../../src/app/dead.ts';
import { issueBatch, type BatchResult } from '../../src/app/issue-batch.ts';
import type { Admission, ClaimQueue, DeadUsers, Ledger } from '../../src/app/ports.ts';
import { repair, type RepairPorts } from '../../src/app/repair.ts';
import { reset } from '../../src/app/reset.ts';
import { isLedgerBehind, verifyAgainstLedger } from '../../src/app/verify-coupon.ts';
import type { ClaimRecord, CouponHash, LedgerEntry, LedgerSide, RedisSide } from '../../src/core/campaign/state.ts';
import { unsettled } from '../../src/core/campaign/worker.ts';
import type { Claim } from '../../src/core/coupon.ts';
import { ledgerRepairs } from '../../src/pg/ledger-repairs.ts';
import { redisDead } from '../../src/redis/dead.ts';
import { couponKeys } from '../../src/redis/keys.ts';
import { redisRepairs } from '../../src/redis/repairs.ts';
import { LEASE_MS, USERS, type Command, type Outside } from './campaign-history.ts';
import type { TestStores } from './stores.ts';

const ID = '42';
const KEYS = couponKeys(ID, 'plain');
const ALL_KEYS = [
  ...[KEYS.coupon, KEYS.queue, KEYS.admitted, KEYS.leases, KEYS.claims, KEYS.dead],
  ...USERS.map((userId) => KEYS.issued(userId)),
];
const AUDIT = { couponIds: [ID], scan: true, keyStyle: 'plain' };
const ANOTHER_SERVER = 'another-server';

/** Everything that a command may call. A test may put faulty ones in their place. */
export interface CampaignPorts {
  admission: Admission;
  claims: ClaimQueue;
  ledger: Ledger;
  dead: DeadUsers;
  repair: RepairPorts;
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
  const pause = async (): Promise<void> => undefined;
  const redis = redisRepairs(connection, 'plain');
  const repairs = ledgerRepairs(database);
  return {
    ...{ admission, claims, ledger, dead: redisDead(connection, 'plain') },
    repair: { reader, ledger, pause, claims, coupons, redis, repairs, now: () => new Date() },
  };
}

/** A row that an operator's own rule refuses, as `bot-1` of the histories. */
export async function refuseBots({ sql }: TestStores): Promise<void> {
  await sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%')`);
}

export async function newRealCampaign(stores: TestStores, ports: CampaignPorts, total: number): Promise<RealCampaign> {
  await stores.redis.flushdb();
  // A few rows: this is much quicker than TRUNCATE.
  await stores.sql('DELETE FROM issued_coupons; DELETE FROM coupons');
  await stores.seed({ id: ID, total });
  const real: RealCampaign = { stores, ports, workers: new Map(), backup: { redis: [], ledger: '' } };
  Object.assign(real.backup, { redis: await dumpRedis(stores), ledger: await dumpLedger(stores) });
  return real;
}

/** What a command came to, and what the model cannot know by itself. */
export interface Happened {
  answer: unknown;
  outside: Partial<Outside>;
}

const done: Happened = { answer: 'done', outside: {} };

export async function applyToStores(real: RealCampaign, command: Command): Promise<Happened> {
  const { stores, ports, workers, backup } = real;
  const { redis } = stores;
  const { ledger } = ports;
  const verifying = { verification: stores.coupons, ledger };
  const deadPorts = { dead: ports.dead, reader: stores.reader, ledger, keyStyle: 'plain' };
  switch (command.kind) {
    case 'admit': {
      const answers = await ports.admission.admit(ID, command.requests);
      const times = new Map(command.requests.map(({ userId }, i) => [userId, answers[i]!.firstRequestUs ?? 0]));
      return { answer: answers, outside: { nowUs: (userId) => times.get(userId)! } };
    }
    case 'foreign': {
      const foreignScore = Date.now();
      return { answer: await queueElsewhere(stores, command.userId, foreignScore), outside: { foreignScore } };
    }
    case 'work':
      return work(real, command);
    case 'crash':
      workers.delete(command.worker);
      return done;
    case 'expire':
      return { answer: await setDeadlines(stores, command.worker!, 1), outside: {} };
    case 'clockBack':
      return { answer: await setDeadlines(stores, command.worker!, Date.now() + 3 * LEASE_MS), outside: {} };
    case 'retry':
      return { answer: (await retryDead(deadPorts, ID, [command.userId!])).users[0]!.outcome, outside: {} };
    case 'drop':
      return { answer: (await dropDead(deadPorts, ID, [command.userId!])).users[0]!.outcome, outside: {} };
    case 'reset':
      await reset(ID, { ledger, coupons: stores.coupons, newEpoch: randomUUID });
      await stores.seed({ id: ID, total: command.total });
      return { answer: 'done', outside: { epoch: (await ledger.coupon(ID))!.epoch } };
    case 'verify': {
      const answer = await verifyAgainstLedger(verifying, (await ledger.coupon(ID))!);
      return { answer: answer.status === 'ok' ? { status: 'ok' } : answer, outside: {} };
    }
    case 'restart':
      await restart(stores);
      return done;
    case 'repair':
      await repair(ports.repair, { ...AUDIT, dryRun: false }, { mended: () => undefined });
      return done;
    case 'snapshotRedis':
      backup.redis = await dumpRedis(stores);
      return done;
    case 'snapshotLedger':
      backup.ledger = await dumpLedger(stores);
      return done;
    case 'rollBackRedis':
      await redis.del(...ALL_KEYS);
      await Promise.all(ALL_KEYS.map(async (key, i) => backup.redis[i] && redis.restore(key, 0, backup.redis[i])));
      await restart(stores);
      return done;
    case 'emptyRedis':
      await redis.flushdb();
      return done;
    case 'rollBackLedger':
      await stores.sql(backup.ledger);
      return done;
  }
}

/** One step of `app/drain.ts`. */
async function work(real: RealCampaign, command: Extract<Command, { kind: 'work' }>): Promise<Happened> {
  const { stores, workers } = real;
  const { ledger, claims } = real.ports;
  const { worker, limit, step } = command;
  if (step === 'claim') {
    workers.delete(worker);
    const coupon = (await ledger.coupon(ID))!;
    const answer = await claims.claim(ID, { epoch: coupon.epoch, limit, leaseMs: LEASE_MS, worker });
    if (answer.status !== 'ok') return { answer: { answer, behind: false }, outside: {} };
    const behind = await isLedgerBehind({ verification: stores.coupons, ledger }, coupon, answer.acked);
    if (behind) await claims.release(ID, coupon.epoch, answer.claims);
    else if (answer.claims.length > 0) workers.set(worker, { epoch: coupon.epoch, claims: answer.claims, result: null });
    return { answer: { answer, behind }, outside: {} };
  }
  const batch = workers.get(worker)!;
  const { epoch, result } = batch;
  switch (step) {
    case 'commit': {
      batch.result = await issueBatch(ledger, ID, batch.claims, { epoch, worker, timeoutMs: 10_000 });
      const times = new Map(batch.result.rows.map((row) => [row.userId, row.issuedAt]));
      return { answer: batch.result, outside: { issuedAt: (userId) => times.get(userId) ?? new Date(0) } };
    }
    case 'ack':
      return { answer: await claims.ack(ID, epoch, result!.rows), outside: {} };
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

/** What another service does that knows the queue, and how to spend a piece. */
async function queueElsewhere({ redis }: TestStores, userId: string, score: number): Promise<boolean> {
  const [stock, admitted, waiting, issued] = await Promise.all([
    redis.hget(KEYS.coupon, 'stock'),
    redis.hexists(KEYS.admitted, userId),
    redis.zscore(KEYS.queue, userId),
    redis.exists(KEYS.issued(userId)),
  ]);
  if (Number(stock) <= 0 || admitted === 1 || waiting !== null || issued === 1) return false;
  await redis.multi().hincrby(KEYS.coupon, 'stock', -1).zadd(KEYS.queue, 'NX', score, userId).exec();
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
  const tables = ['coupons', 'issued_coupons'];
  const [dump] = await sql(`SELECT ${tables.map((table) => `(SELECT json_agg(t)::text FROM ${table} t) AS ${table}`).join(', ')}`);
  const literal = (table: string): string => pg.escapeLiteral(String(dump![table] ?? '[]'));
  const inserts = tables.map((table) => `INSERT INTO ${table} SELECT * FROM json_populate_recordset(null::${table}, ${literal(table)})`);
  return ['DELETE FROM issued_coupons', 'DELETE FROM coupons', ...inserts].join('; ');
}

export async function auditReal({ ports }: RealCampaign): Promise<AuditReport> {
  return audit(ports.repair, AUDIT);
}

/** Redis, with eyes of its own, as a state of the model. The queue is in the order in which Redis has it. */
export async function readRedis({ redis }: TestStores): Promise<RedisSide> {
  const commands = redis
    .multi()
    .hgetall(KEYS.coupon)
    .hgetall(KEYS.admitted)
    .zrange(KEYS.queue, 0, '-1', 'WITHSCORES')
    .zrange(KEYS.leases, 0, '-1', 'WITHSCORES')
    .hgetall(KEYS.claims)
    .hgetall(KEYS.dead);
  for (const userId of USERS) commands.hgetall(KEYS.issued(userId));
  const replies = (await commands.exec())!.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  type Hash = Record<string, string>;
  type Scores = (string | [string, string])[];
  const [coupon, admitted, queue, leases, claims, dead, ...issued] = replies as [Hash, Hash, Scores, Scores, Hash, Hash, ...Hash[]];
  return {
    coupon: Object.keys(coupon).length === 0 ? null : parseCoupon(coupon),
    admitted: new Map(Object.entries(admitted).map(([userId, record]) => [userId, parseAdmission(record)])),
    waiting: scores(queue),
    leases: scores(leases),
    claims: new Map(Object.entries(claims).map(([userId, record]) => [userId, parseClaim(record)])),
    dead: new Map(Object.entries(dead)),
    issued: new Map(USERS.map((userId, i) => [userId, issued[i]!] as const).filter(([, hash]) => Object.keys(hash).length > 0)),
  };
}

export async function readLedger({ sql }: TestStores): Promise<LedgerSide> {
  const [[coupon], rows] = await Promise.all([sql('SELECT * FROM coupons'), sql('SELECT * FROM issued_coupons')]);
  return {
    total: Number(coupon!['total_quantity']),
    epoch: String(coupon!['epoch']),
    issuedQuantity: Number(coupon!['issued_quantity']),
    maxFence: Number(coupon!['max_fence']),
    rows: new Map(rows.map((row) => [String(row['user_id']), toEntry(row)])),
  };
}

function parseCoupon(hash: Record<string, string>): CouponHash {
  const number = (field: string): number => Number(hash[field] ?? 0);
  return {
    ...{ total: number('total'), stock: Number(hash['stock'] ?? Number.NaN), returned: number('returned') },
    ...{ suspect: hash['suspect'] ?? '', epoch: hash['epoch'] ?? '', run: hash['run'] ?? '' },
    ...{ lastUs: number('last_us'), fence: number('fence'), acked: number('acked') },
  };
}

function scores(flat: (string | [string, string])[]): Map<string, number> {
  const list = flat.flat();
  return new Map(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!, Number(list[2 * i + 1])]));
}

function parseAdmission(record: string): { score: number; requestId: string } {
  const [score, ...rest] = record.split(':');
  return { score: Number(score), requestId: rest.join(':') };
}

function parseClaim(record: string): ClaimRecord {
  const [fence, worker, score, leaseMs, deliveries, faults] = record.split(':');
  const numbers = { fence: Number(fence), score: Number(score), leaseMs: Number(leaseMs) };
  return { ...numbers, worker: worker!, deliveries: Number(deliveries), faults: Number(faults) };
}

function toEntry(row: Record<string, unknown>): LedgerEntry {
  const date = (name: string): Date | null => row[name] as Date | null;
  return {
    ...{ userId: String(row['user_id']), couponId: String(row['coupon_id']), requestedUs: Number(row['requested_us']) },
    ...{ requestedAt: date('requested_at')!, issuedAt: date('issued_at')!, expiresAt: date('expires_at') },
    ...{ usedAt: date('used_at'), revokedAt: date('revoked_at') },
    ...{ worker: String(row['worker']), fence: Number(row['fence']), deliveries: Number(row['deliveries']) },
  };
}
