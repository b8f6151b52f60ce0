import { chunked } from '../../lib/chunked.ts';
import { isOutage } from '../../lib/errors.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import type { LedgerCoupon, LedgerReader, WorkerIssues } from '../../campaign/ports/ledger.ts';
import type { Lease, RedisReader } from '../../campaign/ports/redis-reader.ts';
import { WrongTypeError, type WrongType } from '../../campaign/wrong-type.ts';
import { readRedis, type InRedis } from '../inspect/coupon-state.ts';

export interface LivePorts {
  reader: RedisReader;
  ledger: Pick<LedgerReader, 'coupons' | 'recentWorkers'>;
  keyStyle: string;
}

export interface LedgerPart {
  coupons: LedgerCoupon[];
  workers: WorkerIssues[];
}

export interface RedisPart {
  /** Redis TIME, milliseconds. */
  nowMs: number;
  coupons: ReadonlyMap<string, InRedis>;
  /** Of coupons in which users are claimed. */
  leases: ReadonlyMap<string, readonly Lease[]>;
  /** The index of Redis holds another type; null: it does not. */
  wrongIndex: WrongType | null;
}

/** The answer of a store, or why there is none. */
export type Told<T> = { value: T } | { problem: string };

/** One look at both stores. */
export interface Reading {
  /** Milliseconds since 1970 by this machine, and by a clock that never steps. */
  atMs: number;
  clockMs: number;
  ledger: Told<LedgerPart>;
  redis: Told<RedisPart>;
}

/** Both clocks of this machine. */
export interface Clocks {
  wallMs: () => number;
  clockMs: () => number;
}

/** A store that hangs is told as away after this long; the frame must not hang with it. */
const PATIENCE_MS = 3_000;
const CONCURRENT_READS = 20;
const MOST_LEASES = 50;
/** Workers that issued longer ago are none of now. */
export const WORKER_MS = 60_000;

/**
 * Reads all campaigns again and again, with as many calls for a million waiting users as for one. A store that is away is part of the
 * answer, and is not asked again while it owes one.
 *
 * @throws what is no outage: a user who may not read, a mistake of our own
 */
export function liveReadings(ports: LivePorts, { wallMs, clockMs }: Clocks): () => Promise<Reading> {
  let known: readonly LedgerCoupon[] | null = null;
  const ledger = oneAtATime(async () => {
    const [coupons, workers] = await Promise.all([ports.ledger.coupons(), ports.ledger.recentWorkers(new Date(wallMs() - WORKER_MS))]);
    known = coupons;
    return { coupons, workers };
  });
  const redis = oneAtATime(() => readAll(ports.reader, known ?? []));
  return async () => {
    const first = known === null ? await ledger() : null;
    const [ofLedger, ofRedis] = await Promise.all([first ?? ledger(), redis()]);
    return { atMs: wallMs(), clockMs: clockMs(), ledger: ofLedger, redis: ofRedis };
  };
}

async function readAll(reader: RedisReader, known: readonly LedgerCoupon[]): Promise<RedisPart> {
  const [nowMs, { indexed, wrongIndex }] = await Promise.all([reader.now(), readIndex(reader)]);
  const ids = [...new Set([...known.map(({ id }) => id), ...indexed])].toSorted();
  const coupons = new Map<string, InRedis>();
  const leases = new Map<string, readonly Lease[]>();
  for (const chunk of chunked(ids, CONCURRENT_READS)) {
    await Promise.all(
      chunk.map(async (id) => {
        const found = await readRedis(reader, id, nowMs);
        coupons.set(id, found);
        if ((found.redis?.claimed ?? 0) > 0) leases.set(id, await reader.leases(id, MOST_LEASES));
      }),
    );
  }
  return { nowMs, coupons, leases, wrongIndex };
}

async function readIndex(reader: RedisReader): Promise<{ indexed: string[]; wrongIndex: WrongType | null }> {
  try {
    return { indexed: await reader.indexed(), wrongIndex: null };
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    return { indexed: [], wrongIndex: error.wrong };
  }
}

/** Waits a while for an answer; one that is still out is waited for again instead of asking twice. */
function oneAtATime<T>(ask: () => Promise<T>): () => Promise<Told<T>> {
  let pending: Promise<Told<T>> | null = null;
  return () => {
    pending ??= told(ask).finally(() => (pending = null));
    return withTimeout(pending, PATIENCE_MS, { problem: `no answer for ${PATIENCE_MS / 1_000} s` });
  };
}

async function told<T>(ask: () => Promise<T>): Promise<Told<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (isOutage(error)) return { problem: error.message };
    throw error;
  }
}
