import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from './ask.ts';
import type { Row } from './book.ts';
import type { Random } from './fault.ts';
import { OTHER_SHARE } from './plan.ts';

export interface LoadOptions {
  endpoint: string;
  /** Every user asks for the first of them, some for the others too. */
  couponIds: readonly string[];
  /** New users a second, as long as the machine can keep up. */
  rate: number;
  /** User ids are the prefix and a number from 0 on. */
  prefix: string;
  random: Random;
}

/** What was asked and answered so far, complete once the load has ended. */
export interface LoadBook {
  rows: readonly Row[];
  /** Distinct users who asked. */
  users: number;
}

export interface Load extends LoadBook {
  /** No new users from here on; returns when everybody has asked to the end. */
  end(): Promise<void>;
}

/**
 * Requests under way at a time. A machine that is busy with other things answers late, and users who come all the same, give up, and
 * ask again would keep it so: then they come more slowly.
 */
const MOST_OPEN = 150;
/** Users who ask again under another key, and those who ask again when nothing came back. */
const DUPLICATES = 0.2;
const PERSISTENT = 0.75;
const ATTEMPTS = 10;
/** Longer with each attempt, up to this. */
const RETRY_MS = 1_500;
/** Shorter than the store timeouts of `serve`, so that some of its answers come too late to be heard. */
const REPLY_TIMEOUT_MS = 4_000;
const TICK_MS = 5;

/** Users ask at a steady rate until `end`. Answers are written down as they come, and never judged here. */
export function startLoad({ endpoint, couponIds, rate, prefix, random }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true });
  const slots = semaphore(MOST_OPEN);
  const rows: Row[] = [];
  const open = new Set<Promise<void>>();
  let users = 0;
  let requestIds = 0;

  const once = async (user: number, coupon: number, requestId: number): Promise<Row> => {
    await slots.take();
    const row: Row = { user, coupon, requestId, sentUs: nowUs(), doneUs: Number.NaN, outcome: 'unknown', status: 0 };
    rows.push(row);
    const question = { couponId: couponIds[coupon]!, userId: `${prefix}${user}`, key: `${prefix}request-${requestId}` };
    const { outcome, status } = await ask(endpoint, question, { agent, timeoutMs: REPLY_TIMEOUT_MS });
    slots.give();
    if (outcome === 'unsent') row.sentUs = Number.NaN;
    else if (status > 0) row.doneUs = nowUs();
    return Object.assign(row, { outcome, status });
  };

  /** One request, and again under the same key as long as nothing certain came back. */
  const persist = async (user: number, coupon: number): Promise<void> => {
    const requestId = requestIds++;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const { outcome } = await once(user, coupon, requestId);
      if (!['unknown', 'unavailable', 'unsent'].includes(outcome) || random.next() > PERSISTENT) return;
      await delay(random.int(100, RETRY_MS) * Math.min(attempt, 4));
    }
  };

  const start = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => open.delete(tracked));
    open.add(tracked);
  };

  const arrive = (): void => {
    const user = users++;
    for (const coupon of couponIds.keys()) {
      if (coupon > 0 && random.next() > OTHER_SHARE) continue;
      const first = persist(user, coupon);
      start(first);
      if (random.next() > DUPLICATES) continue;
      // Half of them while the first request is still under way.
      const impatient = random.next() < 0.5;
      const wait = impatient ? random.int(0, 10) : random.int(50, 2_000);
      start((impatient ? delay(wait) : first.then(() => delay(wait))).then(() => persist(user, coupon)));
    }
  };

  let last = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    due += ((now - last) * rate) / 1_000;
    last = now;
    for (; due >= 1 && slots.free > 0; due -= 1) arrive();
    due = Math.min(due, 1);
  }, TICK_MS);

  return {
    rows,
    get users() {
      return users;
    },
    async end() {
      clearInterval(timer);
      while (open.size > 0) await Promise.all(open);
      agent.destroy();
    },
  };
}

function semaphore(size: number): { readonly free: number; take(): Promise<void>; give(): void } {
  const waiting: (() => void)[] = [];
  let free = size;
  return {
    get free() {
      return free;
    },
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
}

function nowUs(): number {
  return performance.now() * 1_000;
}
