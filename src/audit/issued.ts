import { OrderProof } from './reconcile/order.ts';
import { inChunks, judgeChunk, ledgerPages, pipelined, redisChunks } from './reads.ts';
import type { Walk } from './walk.ts';
import type { AuditPorts, LedgerBrief, RowComparison } from './ports.ts';

export interface IssuedCounts {
  /** Users with a row who were also admitted. */
  admitted: number;
  /** In the ledger, not acknowledged yet. */
  inFlight: number;
  /** Of each claim that served a later request first, the user who had waited longest. */
  late: string[];
}

type TickOff = (row: Pick<LedgerBrief, 'userId' | 'requestedUs' | 'fence' | 'deliveries'>, isAdopted: boolean) => void;

/**
 * Everyone with a row. Page by page Redis says whether it agrees, and of nearly everybody that is all there is to know; only those
 * about whom it says something else are read in full, Redis first, and judged. For the others it is sound to read the ledger first:
 * rows stay, and a user who is issued and acknowledged stays so.
 */
export async function issuedUsers({ ports, couponId, suspects, roll, looked }: Walk): Promise<IssuedCounts> {
  const order = new OrderProof();
  let [admitted, inFlight] = [0, 0];
  const tickOff: TickOff = (row, isAdopted) => {
    admitted += 1;
    roll.see(row.userId);
    if (!isAdopted) order.add(row.userId, row);
  };
  for await (const chunk of redisChunks(ports, couponId, inChunks(differingUsers(ports, couponId, tickOff, looked)))) {
    for (const judged of await judgeChunk(ports, couponId, chunk)) {
      const { user, row, verdict } = judged;
      await suspects.add(judged);
      if (verdict.inFlight) inFlight += 1;
      if (row && user.admitted) tickOff(row, user.admitted.requestId === '');
    }
  }
  // Rows never change their turn, so no second look is needed.
  return { admitted, inFlight, late: order.late() };
}

/** Ticks off those about whom both stores say the same, and yields the others. */
async function* differingUsers(ports: AuditPorts, couponId: string, tickOff: TickOff, looked: Walk['looked']): AsyncGenerator<string[]> {
  const compare = async (page: LedgerBrief[]): Promise<RowComparison & { page: LedgerBrief[] }> => ({
    page,
    ...(await ports.reader.compareRows(couponId, page)),
  });
  for await (const { page, ...agreement } of pipelined(ledgerPages(ports, couponId), compare)) {
    const differing = new Set(agreement.differing);
    const adopted = new Set(agreement.adopted);
    for (const row of page) if (!differing.has(row.userId)) tickOff(row, adopted.has(row.userId));
    looked(page.length);
    yield agreement.differing;
  }
}
