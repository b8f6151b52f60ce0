import type { WorkerIssues } from '../../campaign/ports/ledger.ts';
import { WORKER_MS, type RedisPart } from './reading.ts';

/** A drain that holds users, or has issued some in the last minute. One that finds nobody waiting leaves no trace in a store. */
export interface LiveWorker {
  worker: string;
  /** Users whom it holds now, and in how many claims. */
  users: number;
  claims: number;
  coupons: string[];
  /** Until its first lease ends; below zero: it is over, and the next claim of any worker takes the users back. Null: it holds nobody. */
  leaseLeftMs: number | null;
  /** Null: not in the last minute. */
  lastIssuedMs: number | null;
}

export interface SeenWorker {
  /** Milliseconds since 1970. */
  lastIssuedAt: number | null;
  lastHeldAt: number | null;
}

/** @param nowMs Redis TIME */
export function workersOf(
  redis: Pick<RedisPart, 'leases'> | undefined,
  issues: readonly WorkerIssues[],
  before: ReadonlyMap<string, SeenWorker>,
  nowMs: number,
): { workers: LiveWorker[]; memory: ReadonlyMap<string, SeenWorker> } {
  const memory = new Map(before);
  const held = new Map<string, LiveWorker>();
  for (const [couponId, leases] of redis?.leases ?? []) {
    for (const { worker, users, deadlineMs } of leases) {
      const one = held.get(worker) ?? none(worker);
      const leftMs = deadlineMs - nowMs;
      held.set(worker, {
        ...one,
        users: one.users + users,
        claims: one.claims + 1,
        coupons: one.coupons.includes(couponId) ? one.coupons : [...one.coupons, couponId],
        leaseLeftMs: one.leaseLeftMs === null ? leftMs : Math.min(one.leaseLeftMs, leftMs),
      });
      memory.set(worker, { lastIssuedAt: memory.get(worker)?.lastIssuedAt ?? null, lastHeldAt: nowMs });
    }
  }
  for (const { worker, lastAt } of issues) {
    const at = Math.max(lastAt.getTime(), memory.get(worker)?.lastIssuedAt ?? 0);
    memory.set(worker, { lastHeldAt: memory.get(worker)?.lastHeldAt ?? null, lastIssuedAt: at });
  }
  for (const [worker, { lastIssuedAt, lastHeldAt }] of memory) {
    if (nowMs - Math.max(lastIssuedAt ?? 0, lastHeldAt ?? 0) > WORKER_MS) memory.delete(worker);
  }
  const workers = [...memory].map(([worker, { lastIssuedAt }]) => ({
    ...(held.get(worker) ?? none(worker)),
    lastIssuedMs: lastIssuedAt === null ? null : Math.max(0, nowMs - lastIssuedAt),
  }));
  return { workers: workers.toSorted((a, b) => (a.worker < b.worker ? -1 : 1)), memory };
}

function none(worker: string): LiveWorker {
  return { worker, users: 0, claims: 0, coupons: [], leaseLeftMs: null, lastIssuedMs: null };
}
