import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { ask } from './ask.ts';
import type { Random, Rig, Supervised } from './fault.ts';

/** A coupon of a fault's own beside the campaign's, with a small load on it. */
export interface ThirdCoupon {
  id: string;
  /** Users who asked before anything happened to it. */
  old: readonly string[];
  /** Holds claims on it, and stands still (SIGSTOP). */
  worker: Supervised;
  /** Asks until there is a certain answer; who was accepted. */
  ask(userIds: readonly string[]): Promise<string[]>;
  /** No more questions. */
  close(): void;
}

const TOTAL = 400;
const OLD_USERS = 200;
const ANSWER_MS = 30_000;
const REPLY_TIMEOUT_MS = 4_000;

export function seedArguments(couponId: string): string[] {
  return ['seed', couponId, '--name', 'Third', '--stock', String(TOTAL)];
}

export function idsOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** Seeds a coupon, lets users ask for it, and stops a worker that has claimed some of them, in the middle of its transaction. */
export async function holdClaims(rig: Rig, random: Random): Promise<ThirdCoupon> {
  const id = `${rig.couponId}-x${random.int(0, 0xff_ffff).toString(36)}`;
  const seeded = await rig.command(seedArguments(id));
  if (seeded.exitCode !== 0) throw new Error(`the seed of ${id} ended with ${seeded.exitCode}: ${seeded.stderr}`);
  const { ask: askAll, close } = openQuestions(rig.endpoint, id);
  const old = idsOf('old', OLD_USERS);
  const unlock = lock(rig, id);
  try {
    const asked = askAll(old);
    let worker: Supervised | null = null;
    await until(async () => (worker = await holder(rig, id)) !== null);
    worker!.pause();
    await asked;
    return { id, old, worker: worker!, ask: askAll, close };
  } finally {
    await unlock();
  }
}

/** Users who ask for one coupon, each under one key. */
export function openQuestions(endpoint: string, couponId: string): Pick<ThirdCoupon, 'ask' | 'close'> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  return {
    async ask(userIds) {
      const answers = await Promise.all(userIds.map((userId) => askForCertain(endpoint, agent, couponId, userId)));
      return userIds.filter((_, index) => answers[index] === 'accepted');
    },
    close: () => agent.destroy(),
  };
}

/** Locks the coupon's row in the ledger, so that workers claim and cannot go on. Returns what ends it. */
function lock({ sql }: Rig, couponId: string): () => Promise<void> {
  // Statements that are sent together are one transaction.
  const locked = sql(`SELECT FROM coupons WHERE id = '${couponId}' FOR UPDATE; SELECT pg_sleep(60)`).then(
    () => undefined,
    () => undefined,
  );
  return async () => {
    await sql(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()`, [
      `SELECT FROM coupons WHERE id = '${couponId}' %`,
    ]);
    await locked;
  };
}

async function askForCertain(endpoint: string, agent: Agent, couponId: string, userId: string): Promise<string> {
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    const key = `${couponId}-${userId}`;
    const { outcome } = await ask(endpoint, { couponId, userId, key }, { agent, timeoutMs: REPLY_TIMEOUT_MS });
    if (!['unknown', 'unavailable', 'unsent'].includes(outcome) || performance.now() > deadline) return outcome;
    await delay(200);
  }
}

/** The drain that has a claim on the coupon; its name ends with its process id. */
async function holder({ reader, drains }: Rig, couponId: string): Promise<Supervised | null> {
  for await (const userIds of reader.walk(couponId, 'leases')) {
    for (const { claim } of await reader.users(couponId, userIds)) {
      const found = drains.find(({ pid }) => claim?.worker.endsWith(`-${pid}`));
      if (found) return found;
    }
  }
  return null;
}
