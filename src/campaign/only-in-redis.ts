import { plural } from '../lib/text/figures.ts';
import type { LedgerReader } from './ports/ledger.ts';
import { WrongTypeError, type WrongType } from './wrong-type.ts';
import type { RedisReader } from './ports/redis-reader.ts';

export interface OnlyInRedis {
  couponIds: string[];
  /** The index holds another type, so what else there is cannot be told; null: it does not. */
  wrongIndex: WrongType | null;
}

/**
 * Ids of seeded coupons that Redis has and the ledger has not: the database was replaced, or this is another one. An id that
 * is only in the index is no coupon; a reset that stopped half-way leaves such behind.
 */
export async function onlyInRedis({
  reader,
  ledger,
}: {
  reader: RedisReader;
  ledger: Pick<LedgerReader, 'coupons'>;
}): Promise<OnlyInRedis> {
  const { indexed, wrongIndex } = await readIndex(reader);
  const known = new Set((await ledger.coupons()).map((coupon) => coupon.id));
  const found: string[] = [];
  for (const couponId of indexed) {
    if (!known.has(couponId) && (await isThere(reader, couponId))) found.push(couponId);
  }
  return { couponIds: found, wrongIndex };
}

async function readIndex(reader: RedisReader): Promise<{ indexed: string[]; wrongIndex: WrongType | null }> {
  try {
    return { indexed: await reader.indexed(), wrongIndex: null };
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    return { indexed: [], wrongIndex: error.wrong };
  }
}

async function isThere(reader: RedisReader, couponId: string): Promise<boolean> {
  try {
    return (await reader.coupon(couponId)) !== null;
  } catch (error) {
    if (error instanceof WrongTypeError) return true;
    throw error;
  }
}

/** For a Redis that is not empty, but holds no coupon of ours. */
export function otherKeysText(keys: number): string {
  const what = plural(keys, 'key');
  return `no coupon was seeded here; Redis holds ${what} of other programs, and \`coupon-cli audit --scan\` looks for coupons among them`;
}
