import type { Finding } from './findings.ts';
import { judgeChunk, readRedis } from './reads.ts';
import type { AuditPorts } from './ports.ts';

/** Of users who are left out of an audit, how many records may have been erased by hand, at most. */
export interface Erased {
  admissions: number;
  rows: number;
}

export async function erasedOf(ports: AuditPorts, couponId: string, except: readonly string[]): Promise<Erased> {
  if (except.length === 0) return { admissions: 0, rows: 0 };
  const judged = await judgeChunk(ports, couponId, await readRedis(ports, couponId, except));
  return {
    admissions: judged.filter(({ user }) => user.admitted === null && user.waiting === null).length,
    rows: judged.filter(({ row }) => row === null).length,
  };
}

/** Whether a sum is wrong by no more than the records that may have been erased. */
export function isExplained({ code, facts }: Finding, { admissions, rows }: Erased): boolean {
  const between = (few: unknown, many: unknown, most: number): boolean => Number(many) > Number(few) && Number(many) - Number(few) <= most;
  if (code === 'stock_mismatch') return between(facts['stock'], facts['expected'], admissions);
  return code === 'issued_quantity_mismatch' && between(facts['rows'], facts['issuedQuantity'], rows);
}
