import { OrderProof } from '../core/order-proof.ts';
import { judgeUser } from '../core/reconcile.ts';
import { ahead, judgeChunk, ledgerPages, queuePages, readRedis, redisChunks, type AuditPorts, type JudgedUser } from './audit-reads.ts';
import { Suspects, type Confirmed } from './audit-suspects.ts';

export interface UserCounts {
  /** In the ledger, not acknowledged yet. */
  inFlight: number;
  /** Put into the queue by another service, not adopted yet. */
  adoptable: number;
  /** Of each claim that came too late for somebody, the user who had waited longest. */
  late: string[];
}

/**
 * Looks at every user whom either store knows, in chunks: nothing here grows with the number of users. Each is judged in one
 * of the walks: the admitted in the first, ledger rows of others in the second, and in the third whoever stands in the queue,
 * in the leases, in the claims or among the dead without being either. The last one, on request, walks the whole keyspace for
 * issued hashes of users whom nothing else knows.
 */
export async function auditUsers(ports: AuditPorts, couponId: string, scan: boolean, confirmed: Confirmed): Promise<UserCounts> {
  const suspects = new Suspects(ports, couponId, confirmed);
  const { inFlight, late } = await admittedUsers(ports, couponId, suspects);
  await ledgerUsers(ports, couponId, suspects);
  const adoptable = await strangers(ports, couponId, suspects, queuePages(ports, couponId));
  for (const source of ['leases', 'claims', 'dead'] as const) {
    await strangers(ports, couponId, suspects, ports.reader.walk(couponId, source));
  }
  if (scan) await strangers(ports, couponId, suspects, ports.reader.scanIssued(couponId));
  await suspects.lookAgain();
  return { inFlight, adoptable, late };
}

async function admittedUsers(ports: AuditPorts, couponId: string, suspects: Suspects): Promise<{ inFlight: number; late: string[] }> {
  const order = new OrderProof();
  let inFlight = 0;
  for await (const chunk of redisChunks(ports, couponId, ports.reader.walk(couponId, 'admitted'))) {
    for (const judged of await judgeChunk(ports, couponId, chunk)) {
      await suspects.add(judged);
      if (judged.verdict.inFlight) inFlight += 1;
      const { admitted } = judged.user;
      if (judged.row && admitted) order.add(judged.row.userId, admitted.requestId, judged.row);
    }
  }
  // Rows never change their turn, so no second look is needed.
  return { inFlight, late: order.late() };
}

/** Here the ledger is read first; that is sound for the one question asked, since admission comes before the row. */
async function ledgerUsers(ports: AuditPorts, couponId: string, suspects: Suspects): Promise<void> {
  for await (const page of ahead(ledgerPages(ports, couponId))) {
    const rows = new Map(page.map((row) => [row.userId, row]));
    const { users, nowMs } = await readRedis(ports, couponId, [...rows.keys()]);
    for (const user of users) {
      if (user.admitted === null) await suspects.add({ user, verdict: judgeUser(user, rows.get(user.userId) ?? null, nowMs) });
    }
  }
}

/** Users of a source who are neither admitted nor in the ledger. Returns how many of them are adoptable. */
async function strangers(
  ports: AuditPorts,
  couponId: string,
  suspects: Suspects,
  source: AsyncIterable<readonly string[]>,
): Promise<number> {
  let adoptable = 0;
  for await (const { users, nowMs } of redisChunks(ports, couponId, source)) {
    const unadmitted = { users: users.filter((user) => user.admitted === null), nowMs };
    if (unadmitted.users.length === 0) continue;
    for (const judged of await judgeChunk(ports, couponId, unadmitted)) {
      if (judged.verdict.adoptable) adoptable += 1;
      if (!judged.row) await suspects.add(judged);
    }
  }
  return adoptable;
}

/** Members of the queue whom only another service put there, counted anew. */
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
