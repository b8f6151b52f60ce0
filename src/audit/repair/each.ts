import type { AuditPorts } from '../ports.ts';
import { isForeign } from './mend.ts';
import { judgeChunk, queuePages, readRedis, type JudgedUser } from '../reads.ts';
import { auditUsers } from '../users.ts';

/**
 * Users that a repair may have to mend, in chunks: first the members of the queue that another service wrote, then the users with findings.
 * A plan and its run take the same way, and a user comes once.
 */
export async function eachToMend(
  ports: AuditPorts,
  couponId: string,
  scan: boolean,
  handle: (users: readonly JudgedUser[]) => Promise<void> | void,
): Promise<void> {
  const leaving: JudgedUser[] = [];
  for await (const page of queuePages(ports, couponId)) {
    const { users, nowMs } = await readRedis(ports, couponId, page);
    const judged = await judgeChunk(ports, couponId, { users: users.filter(isForeign), nowMs });
    await handle(judged.filter((one) => !leavesQueue(one)));
    leaving.push(...judged.filter(leavesQueue));
  }
  if (leaving.length > 0) await handle(leaving);
  await auditUsers(ports, couponId, scan, (users) => handle(users.filter(({ user }) => !isForeign(user))));
}

/** The pages would shift under the walk. */
function leavesQueue({ row }: JudgedUser): boolean {
  return row !== null;
}

/** The stores as they will be without the users of a former life: the ledger alone, and hashes that no admission explains. */
export function withoutFormerLife(ports: AuditPorts): AuditPorts {
  const { reader } = ports;
  const none = async function* (): AsyncGenerator<string[]> {};
  return {
    ...ports,
    reader: {
      ...reader,
      coupon: async () => null,
      queue: async () => [],
      walk: none,
      compareRows: async (_couponId, rows) => ({ differing: rows.map((row) => row.userId), adopted: [] }),
      async users(couponId, userIds) {
        const nowhere = { admitted: null, waiting: null, position: null, leaseDeadlineMs: null, claim: null, dead: null };
        return (await reader.users(couponId, userIds)).map((user) => {
          const isDropped = user.admitted !== null;
          return { ...user, ...nowhere, issued: isDropped ? null : user.issued, occupied: isDropped ? null : user.occupied };
        });
      },
    },
  };
}
