import { CouponError } from '../lib/errors.ts';

/** A key that holds another type than this program keeps there. */
export interface WrongType {
  key: string;
  found: string;
  expected: string;
}

/** Concerns one coupon, or one user of it: nothing else may stop because of it. */
export class WrongTypeError extends CouponError {
  readonly wrong: WrongType;

  constructor(wrong: WrongType) {
    super({
      code: 'KEY_WRONG_TYPE',
      kind: 'broken',
      message: wrongTypeText(wrong),
      why: 'another program wrote this key; nothing of it was changed',
      fix: `${WRONG_TYPE_FIX} Then \`coupon-cli audit --repair\` writes what both stores know.`,
    });
    this.wrong = wrong;
  }
}

/** `found list, expected zset at coupon_waiting_queue:3`. */
export function wrongTypeText({ key, found, expected }: WrongType): string {
  return `found ${found}, expected ${expected} at ${key}`;
}

export const WRONG_TYPE_FIX = 'Find out which program writes this key, and move it away with RENAME (or DEL).';

/** A failure that is about one coupon and its keys: the stores are well, and other coupons go on. */
export function isCouponFault(error: unknown): error is CouponError {
  return error instanceof WrongTypeError || (error instanceof CouponError && error.code === 'REDIS_REFUSED');
}
