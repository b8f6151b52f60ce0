import type { Subject, OracleStores, UserOfCoupon } from './oracle.ts';

const MOST = 4;

/** Everything that is known of users with whom something is wrong: their requests, and how they stand in either store. */
export async function explain(
  suspects: readonly UserOfCoupon[],
  { coupons, rows, prefix }: Subject,
  { reader, ledger }: Pick<OracleStores, 'reader' | 'ledger'>,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { couponId, userId } of suspects.slice(0, MOST)) {
    const coupon = coupons.findIndex(({ id }) => id === couponId);
    lines.push(`${couponId} ${userId}`);
    for (const row of rows) {
      if (row.coupon !== coupon || `${prefix}${row.user}` !== userId) continue;
      const { requestId, sentUs, doneUs, outcome, status } = row;
      lines.push(`  request ${requestId}: sent ${ms(sentUs)}, answered ${ms(doneUs)}: ${outcome} ${status}`);
    }
    lines.push(`  Redis: ${await said(reader.user(couponId, userId))}`, `  ledger: ${await said(ledger.rows(couponId, [userId]))}`);
  }
  for (const { id } of coupons) {
    lines.push(`${id} in Redis: ${await said(reader.coupon(id))}`, `${id} in the ledger: ${await said(ledger.coupon(id))}`);
  }
  return lines;
}

/** A store that is away once more is said: it must not hide what was found. */
async function said(answer: Promise<unknown>): Promise<string> {
  return answer.then((value) => JSON.stringify(value), reasonOf);
}

/** Wall clock, as the logs of the processes have it. */
function ms(us: number): string {
  return Number.isNaN(us) ? 'never' : new Date(performance.timeOrigin + us / 1_000).toISOString();
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
