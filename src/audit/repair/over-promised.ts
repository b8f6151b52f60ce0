import type { AuditPorts } from '../ports.ts';
import { scoreToMicros } from '../../campaign/coupon.ts';
import { compareMembers } from '../../campaign/member.ts';
import { inChunks, judgeChunk, readRedis, type JudgedUser } from '../reads.ts';
import { mendUser } from './mend.ts';

export interface Excess {
  /** How many more were accepted than there are coupons. */
  users: number;
  /** Request time of users without one, microseconds. */
  nextUs: number;
  /** See {@link mendUser}. */
  roomForRows: boolean;
}

/**
 * Users for whom there is no coupon, the one who asked last first: from those who wait or whom no worker holds any more, then from the
 * dead. Users with a row keep their coupon, and users whom a worker holds are left to the next repair.
 */
export async function overPromisedUsers(ports: AuditPorts, couponId: string, excess: Excess): Promise<string[]> {
  const [waiting, dead]: [Candidate[], Candidate[]] = [[], []];
  for await (const { users, nowMs } of chunks(ports, couponId)) {
    for (const judged of await judgeChunk(ports, couponId, { users, nowMs })) {
      const { user, row } = judged;
      const isAccepted = user.admitted !== null || user.waiting !== null || judged.verdict.place !== null;
      if (row !== null || !isAccepted || user.dead === 'over_promised' || mendUser(judged, excess.roomForRows)?.restoreRow) continue;
      if (user.dead !== null && user.waiting === null) dead.push(candidate(judged, excess.nextUs));
      else if (!isHeld(judged, nowMs)) waiting.push(candidate(judged, excess.nextUs));
    }
  }
  return [...waiting.toSorted(latestFirst), ...dead.toSorted(latestFirst)].slice(0, excess.users).map(({ userId }) => userId);
}

interface Candidate {
  userId: string;
  us: number;
  /** As it is in the queue. */
  score: number;
}

function candidate({ user }: JudgedUser, nextUs: number): Candidate {
  const scores = [user.admitted?.score, user.waiting, user.claim?.score];
  const times = scores.flatMap((score) => (score === undefined || score === null ? [] : (scoreToMicros(score) ?? [])));
  return { userId: user.userId, us: times[0] ?? nextUs, score: user.waiting ?? 0 };
}

function latestFirst(a: Candidate, b: Candidate): number {
  return b.us - a.us || compareScores(b.score, a.score) || compareMembers(b.userId, a.userId);
}

/** They may be infinite. */
function compareScores(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
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
