/** A third-party service on real stores, and the command `adopt`, which may die at any of its calls and is then run again. */
import { randomUUID } from 'node:crypto';
import type { AdoptPorts } from '../../src/operate/adopt/adopt.ts';
import { toBytes } from '../../src/stores/redis/keys/members.ts';
import { adoptIn } from '../support/adopt.ts';
import type { TestStores } from '../support/stores.ts';
import { THIRD_PARTY_NAME, totalOf, type Spelling, type ThirdPartyCoupon } from './adopt.ts';
import { NAMES, type Command } from './history.ts';
import { diesAndRunsAgain, purge, type Happened, type Mortal } from './operators.ts';
import { ID, KEYS } from './reading.ts';

type Adopt = Extract<Command, { kind: 'adopt' }>;

const SPELLED: Record<Spelling, (userId: string) => string> = {
  plain: (userId) => userId,
  json: (userId) => JSON.stringify(userId),
  object: (userId) => JSON.stringify({ userId }),
};

export async function adoptThirdParty(stores: TestStores, ports: AdoptPorts, command: Adopt): Promise<Happened> {
  const resetEpoch = randomUUID();
  await purge((port) => port, stores, resetEpoch);
  await writeAsAService(stores, command.found);
  const foreignScore = Date.now();
  const answer = { came: false, isAccepted: false };
  const times = new Map<string, number>();
  let wasInService: boolean | null = null;
  const meanwhile = async (): Promise<void> => {
    const [epoch, suspect] = await stores.redis.hmget(KEYS.coupon, 'epoch', 'suspect');
    wasInService = (epoch ?? '') !== '' && suspect === '';
    answer.came = await queueElsewhere(stores, command.comes, foreignScore);
    const [told] = await stores.admission.admit(ID, [{ userId: command.asks, requestId: 'r1' }]);
    answer.isAccepted = told!.outcome === 'accepted';
    times.set(command.asks, told!.firstRequestUs ?? 0);
    if (!wasInService) await issuesNothing(stores);
  };
  await diesAndRunsAgain(command.dies, (mortal) => adopt(mortal, stores, ports, totalOf(command.found)), meanwhile);
  const issued = await stores.sql('SELECT user_id, issued_at FROM issued_coupons');
  const issuedAt = (userId: string): Date => issued.find((row) => row['user_id'] === userId)?.['issued_at'] as Date;
  const { epoch } = (await stores.ledger.coupon(ID))!;
  return {
    answer,
    outside: { resetEpochs: [resetEpoch], epoch, foreignScore, wasInService, issuedAt, nowUs: (userId) => times.get(userId)! },
  };
}

/** Of a coupon that is not adopted yet nobody is given to a worker. */
async function issuesNothing({ claims, ledger }: TestStores): Promise<void> {
  const coupon = await ledger.coupon(ID);
  if (!coupon) return;
  const answer = await claims.claim(ID, { epoch: coupon.epoch, limit: 1, leaseMs: 1, worker: 'early' });
  if (answer.status === 'ok' && answer.claims.length > 0)
    throw new Error(`${answer.claims[0]!.userId} was claimed from a coupon that is being adopted`);
}

async function adopt(mortal: Mortal, stores: TestStores, ports: AdoptPorts, total: number): Promise<void> {
  try {
    await adoptIn(stores, ID, { total }, { ...ports, store: mortal(ports.store), ledger: mortal(ports.ledger) });
  } catch (error) {
    // It died after its last step.
    if ((error as { code?: string }).code !== 'ALREADY_IN_LEDGER') throw error;
  }
}

async function writeAsAService({ redis }: TestStores, { stock, state, waiting, issued }: ThirdPartyCoupon): Promise<void> {
  await redis.del(...NAMES.map((userId) => KEYS.issued(userId)));
  await redis.hset(KEYS.coupon, { name: THIRD_PARTY_NAME, stock, ...(state === '' ? {} : { state }) });
  for (const { userId, spelling, score } of waiting) await redis.zadd(KEYS.queue, score, SPELLED[spelling](userId));
  for (const { userId, fields } of issued) await redis.hset(KEYS.issued(userId), { userId, couponId: ID, ...fields });
}

/** What another service does that knows the queue, and how to spend a coupon. */
export async function queueElsewhere({ redis }: TestStores, userId: string, score: number): Promise<boolean> {
  const [stock, admitted, dead, waiting, claimed, issued] = await Promise.all([
    redis.hget(KEYS.coupon, 'stock'),
    redis.hexists(KEYS.admitted, toBytes(userId)),
    redis.hexists(KEYS.dead, toBytes(userId)),
    redis.zscore(KEYS.queue, toBytes(userId)),
    redis.zscore(KEYS.leases, toBytes(userId)),
    redis.exists(KEYS.issued(userId)),
  ]);
  if (Number(stock) <= 0 || admitted + dead + issued > 0 || waiting !== null || claimed !== null) return false;
  await redis
    .multi()
    .hincrby(KEYS.coupon, 'stock', -1)
    .zadd(KEYS.queue, 'NX', String(score).replace('Infinity', 'inf'), toBytes(userId))
    .exec();
  return true;
}
