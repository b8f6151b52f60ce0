import type { AuditPorts } from '../ports.ts';
import { scoreToMicros } from '../../campaign/coupon.ts';
import { inChunks, judgeChunk, readRedis, type JudgedUser } from '../reads.ts';
import { mendUser } from './mend.ts';

/**
 * Users for whom there is no coupon, the one who asked last first: from those who wait or whom no worker holds any more, then from the
 * dead. Users with a row keep their coupon, and users whom a worker holds are left to the next repair.
 *
 * @param excess how many more were accepted than there are coupons
 * @param roomForRows see {@link mendUser}
 */
export async function overPromisedUsers(ports: AuditPorts, couponId: string, excess: number, roomForRows: boolean): Promise<string[]> {
  const [waiting, dead]: [Candidate[], Candidate[]] = [[], []];
  for await (const { users, nowMs } of chunks(ports, couponId)) {
    for (const judged of await judgeChunk(ports, couponId, { users, nowMs })) {
      const { user, row } = judged;
      const isAccepted = user.admitted !== null || user.waiting !== null || judged.verdict.place !== null;
      if (row !== null || !isAccepted || user.dead === 'over_promised' || mendUser(judged, roomForRows)?.restoreRow) continue;
      if (user.dead !== null && user.waiting === null) dead.push(candidate(judged, nowMs));
      else if (!isHeld(judged, nowMs)) waiting.push(candidate(judged, nowMs));
    }
  }
  const latestFirst = (a: Candidate, b: Candidate): number => b.us - a.us || compare(b.score, a.score) || (a.userId < b.userId ? 1 : -1);
  return [...waiting.toSorted(latestFirst), ...dead.toSorted(latestFirst)].slice(0, excess).map(({ userId }) => userId);
}

/** Of scores that may be infinite. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

interface Candidate {
  userId: string;
  us: number;
  /** As it is in the queue. */
  score: number;
}

function candidate({ user }: JudgedUser, nowMs: number): Candidate {
  const scores = [user.admitted?.score, user.waiting, user.claim?.score];
  const times = scores.flatMap((score) => (score === undefined || score === null ? [] : (scoreToMicros(score) ?? [])));
  return { userId: user.userId, us: times[0] ?? nowMs * 1_000, score: user.waiting ?? 0 };
}

/** By a lease that a repair leaves alone; see `stores/redis/lua/repair/requeue.lua`. */
function isHeld({ user: { leaseDeadlineMs, claim } }: JudgedUser, nowMs: number): boolean {
  return leaseDeadlineMs !== null && claim !== null && leaseDeadlineMs > nowMs && leaseDeadlineMs <= nowMs + 2 * claim.leaseMs;
}

/** Everyone in Redis, once. */
async function* chunks(ports: AuditPorts, couponId: string): AsyncGenerator<Awaited<ReturnType<typeof readRedis>>> {
  const seen = new Set<string>();
  for (const source of ['admitted', 'waiting', 'leases', 'claims', 'dead'] as const) {
    const fresh = inChunks(ports.reader.walk(couponId, source), (userId) => !seen.has(userId));
    for await (const page of fresh) {
      for (const userId of page) seen.add(userId);
      yield await readRedis(ports, couponId, page);
    }
  }
}
