/**
 * Coupon services in one process, each with the fault of its name. They stand for services of other people: HTTP outside,
 * stores inside, which the checker is told about afterwards. `correct` is what they all would be without their fault.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CouponEvidence } from '../../../src/bench/checks/integrity.ts';
import type { UserDirectory } from '../../../src/bench/plan/user-plan.ts';

export type Fault =
  | 'correct'
  /** The report's EXISTS, HINCRBY, ZADD NX as three calls: a waiting user's retry spends stock and adds nothing. */
  | 'three_calls'
  /** The queue is drained from its newest end, and what does not fit is dropped. */
  | 'newest_first'
  /** The same, with request times made up when users are issued. */
  | 'newest_first_renumbered'
  /** Now and then a user is issued twice. */
  | 'double_issue'
  /** Now and then an accepted user never reaches the queue. */
  | 'lost_acceptance'
  /** Pop, then insert: the worker dies in between, once. */
  | 'pop_then_insert'
  /** Stock is read, and only later written: several requests take the same coupon. */
  | 'over_issue'
  /** Says "sold out" to the first users. */
  | 'early_sold_out'
  /** Refuses some users and issues to them all the same. */
  | 'issues_to_refused';

export interface PlantedServer extends AsyncDisposable {
  url: string;
  /** What both stores say, once the queue is drained. */
  evidence(users: UserDirectory): CouponEvidence;
}

interface Entry {
  userId: string;
  requestedUs: number;
}

interface Stores {
  stock: number;
  queue: Map<string, Entry>;
  admitted: Set<string>;
  rows: (Entry & { turn: number })[];
  hashes: string[];
}

type Answer = 202 | 409 | 410;

export async function plantedServer(fault: Fault, total: number): Promise<PlantedServer> {
  const stores: Stores = { stock: total, queue: new Map(), admitted: new Set(), rows: [], hashes: [] };
  let lastUs = 1_790_000_000_000_000;
  let asked = 0;
  const nowUs = (): number => (lastUs = Math.max(lastUs + 1, Math.floor((performance.timeOrigin + performance.now()) * 1_000)));

  const admit = (userId: string): Answer => {
    if (stores.admitted.has(userId)) return 409;
    if (stores.stock <= 0) return 410;
    stores.stock -= 1;
    stores.admitted.add(userId);
    stores.queue.set(userId, { userId, requestedUs: nowUs() });
    return 202;
  };

  const answer = async (userId: string): Promise<Answer> => {
    asked += 1;
    if (fault === 'three_calls') {
      // EXISTS issued key; HINCRBY stock -1; ZADD NX. Other requests come in between.
      await otherRequests();
      if (stores.hashes.includes(userId)) return 409;
      stores.stock -= 1;
      if (stores.stock < 0) return 410;
      await otherRequests();
      if (stores.queue.has(userId)) return 409;
      stores.admitted.add(userId);
      stores.queue.set(userId, { userId, requestedUs: nowUs() });
      return 202;
    }
    if (fault === 'over_issue') {
      if (stores.admitted.has(userId)) return 409;
      const { stock } = stores;
      await otherRequests();
      if (stock <= 0) return 410;
      stores.stock = stock - 1;
      stores.admitted.add(userId);
      stores.queue.set(userId, { userId, requestedUs: nowUs() });
      return 202;
    }
    if (fault === 'early_sold_out' && asked <= 3) return 410;
    const decided = admit(userId);
    if (fault === 'lost_acceptance' && decided === 202 && stores.admitted.size % 20 === 0) stores.queue.delete(userId);
    if (fault === 'issues_to_refused' && decided === 410 && asked % 50 === 0) stores.queue.set(userId, { userId, requestedUs: nowUs() });
    return decided;
  };

  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { userId } = JSON.parse(body) as { userId: string };
      void answer(userId).then((status) => reply.writeHead(status, { 'content-length': 2 }).end('{}'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    evidence(users) {
      drain(fault, stores, nowUs);
      return evidenceOf(stores, total, users);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets every request that has arrived meanwhile take its next step. */
function otherRequests(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Empties the queue into ledger and hashes, ten at a time. */
function drain(fault: Fault, stores: Stores, nowUs: () => number): void {
  const newest = fault === 'newest_first' || fault === 'newest_first_renumbered';
  const entries = [...stores.queue.values()].toSorted((a, b) => (newest ? b.requestedUs - a.requestedUs : a.requestedUs - b.requestedUs));
  entries.forEach((entry, index) => {
    const turn = Math.floor(index / 10) + 1;
    if (fault === 'pop_then_insert' && turn === 3) return;
    const requestedUs = fault === 'newest_first_renumbered' ? nowUs() : entry.requestedUs;
    stores.rows.push({ userId: entry.userId, requestedUs, turn });
    stores.hashes.push(entry.userId);
    if (fault === 'double_issue' && index % 25 === 0) stores.rows.push({ userId: entry.userId, requestedUs: requestedUs + 1, turn });
  });
  stores.queue.clear();
}

function evidenceOf(stores: Stores, total: number, users: UserDirectory): CouponEvidence {
  const numbers = (ids: string[]): Uint32Array => Uint32Array.from(ids, (id) => users.numberOf(id));
  return {
    couponId: 'c',
    total,
    ledger: {
      user: numbers(stores.rows.map((row) => row.userId)),
      requestedUs: Float64Array.from(stores.rows, (row) => row.requestedUs),
      requestedStepUs: 1,
      turn: Float64Array.from(stores.rows, (row) => row.turn),
      revoked: new Uint8Array(stores.rows.length),
      issuedQuantity: null,
    },
    redis: {
      issued: numbers(stores.hashes),
      waiting: new Uint32Array(),
      claimed: new Uint32Array(),
      dead: new Uint32Array(),
      total,
      stock: stores.stock,
      returned: 0,
      spent: stores.admitted.size,
    },
    settled: true,
    before: new Uint32Array(),
  };
}
