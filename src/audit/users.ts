import type { AuditPorts } from './ports.ts';
import type { Place } from '../campaign/place.ts';
import { judgeUser } from './reconcile/user.ts';
import { isCompanion } from '../campaign/ids.ts';
import { RollCall } from './reconcile/missing-users.ts';
import { AuditNotes } from './notes.ts';
import { issuedUsers } from './issued.ts';
import { inChunks, judgeChunk, queuePages, redisChunks, type JudgedUser, type RedisChunk } from './reads.ts';
import { Suspects, type Confirmed } from './suspects.ts';
import type { Walk } from './walk.ts';

/** Issued hashes of a coupon whose TTL is asked for. */
const LOOKED_FOR_TTL = 100;

export interface UserCounts {
  /** In the ledger, not acknowledged yet. */
  inFlight: number;
  /** Put into the queue by another service, not adopted yet. */
  adoptable: number;
  /** Of each claim that served a later request first, the user who had waited longest. */
  late: string[];
}

/**
 * Looks at every user whom either store knows, in chunks: nothing here grows with the number of users.
 *
 * Users are judged where they stand: in the ledger, the queue, the leases or among the dead. The list of everyone ever admitted then
 * serves as a list: a user on it who was seen at none of these places is looked at alone. So the ledger is read in the order of
 * its key, and asked about single users only where there is reason to: a million rows in any other order cost PostgreSQL five times
 * as much. The last walk, on request, is over the whole keyspace, for issued hashes of users that nothing else knows.
 */
export async function auditUsers(
  ports: AuditPorts,
  couponId: string,
  scan: boolean,
  confirmed: Confirmed,
  looked: Walk['looked'] = () => undefined,
  notes = new AuditNotes(),
): Promise<UserCounts> {
  const { reader } = ports;
  const walk: Walk = { ports, couponId, suspects: new Suspects(ports, couponId, confirmed), notes, roll: new RollCall(), looked };
  await expiringKeys(walk);
  const issued = await issuedUsers(walk);
  const adoptable = await placedUsers(walk, queuePages(ports, couponId), 'waiting');
  await placedUsers(walk, reader.walk(couponId, 'leases'), 'claimed');
  await placedUsers(walk, reader.walk(couponId, 'dead'), 'dead');
  await strangers(walk, reader.walk(couponId, 'claims'));
  // Where as many are issued as were ever admitted, no user is left to look for.
  const admitted = (await reader.coupon(couponId))?.admitted ?? 0;
  if (issued.admitted !== admitted) await missingUsers(walk);
  if (scan) await strangers(walk, reader.scanIssued(couponId));
  await walk.suspects.lookAgain();
  return { inFlight: issued.inFlight, adoptable, late: issued.late };
}

/** What is about to go by itself. A program that sets a TTL does so for all, so the first users tell of the others. */
async function expiringKeys({ ports, couponId, notes }: Walk): Promise<void> {
  const first = await ports.ledger.briefs(couponId, '', LOOKED_FOR_TTL);
  const { own, issued } = await ports.reader.expiring(
    couponId,
    first.map(({ userId }) => userId),
  );
  for (const key of own) notes.add('key_expires', couponId, key);
  for (const key of issued) notes.add('hash_expires', couponId, key);
}

/**
 * The users in this place, as Redis has them. The ledger is left out: those with a row were judged in the walk over it, and
 * whatever looks wrong here only for the lack of a row does so no more at the second look.
 *
 * @returns how many are adoptable
 */
async function placedUsers(walk: Walk, source: AsyncIterable<readonly string[]>, place: Place): Promise<number> {
  let adoptable = 0;
  for await (const chunk of redisChunks(walk.ports, walk.couponId, source)) {
    for (const user of chunk.users) {
      if (place === 'waiting') walk.notes.waiting(walk.couponId, user, chunk.nowMs);
      if (!user.admitted) continue;
      const verdict = judgeUser(user, null, chunk.nowMs);
      if (verdict.place === place) walk.roll.see(user.userId);
      await walk.suspects.add({ user, verdict });
    }
    adoptable += await judgeStrangers(walk, chunk);
    walk.looked(chunk.users.length);
  }
  return adoptable;
}

/** Users that only this source names. */
async function strangers(walk: Walk, source: AsyncIterable<readonly string[]>): Promise<void> {
  for await (const chunk of redisChunks(walk.ports, walk.couponId, source)) await judgeStrangers(walk, chunk);
}

/** Users of a chunk who were never admitted and are not in the ledger either. Returns how many of them are adoptable. */
async function judgeStrangers({ ports, couponId, suspects, notes }: Walk, { users, nowMs }: RedisChunk): Promise<number> {
  let adoptable = 0;
  const unadmitted = { users: users.filter((user) => user.admitted === null), nowMs };
  for (const judged of await judgeChunk(ports, couponId, unadmitted)) {
    if (judged.verdict.adoptable) adoptable += 1;
    if (judged.row) continue;
    if (isNotOurs(judged)) notes.add('not_ours', couponId, ports.reader.issuedKey(couponId, judged.user.userId));
    else await suspects.add(judged);
  }
  return adoptable;
}

/** A key of another type, or a companion of Spring Data, of whom neither store knows a user. */
function isNotOurs({ user, verdict }: JudgedUser): boolean {
  return verdict.place === null && (user.occupied !== null || (user.issued !== null && isCompanion(user.userId)));
}

/** Goes through everyone admitted, and looks at users who were not seen: lost, or on the way from one place to the next while we walked. */
async function missingUsers({ ports, couponId, suspects, roll }: Walk): Promise<void> {
  for await (const userIds of ports.reader.walk(couponId, 'admitted')) for (const userId of userIds) roll.call(userId);
  if (roll.isSettled()) return;
  const missing = inChunks(ports.reader.walk(couponId, 'admitted'), (userId) => roll.mayBeMissing(userId));
  for await (const chunk of redisChunks(ports, couponId, missing)) {
    for (const judged of await judgeChunk(ports, couponId, chunk)) await suspects.add(judged);
  }
}

/** Members of the queue that only another service put there, counted anew. */
export async function countAdoptable(ports: AuditPorts, couponId: string): Promise<number> {
  let adoptable = 0;
  for await (const { users } of redisChunks(ports, couponId, queuePages(ports, couponId))) {
    adoptable += users.filter(isForeign).length;
  }
  return adoptable;
}

function isForeign(user: JudgedUser['user']): boolean {
  return user.admitted === null && user.waiting !== null;
}
