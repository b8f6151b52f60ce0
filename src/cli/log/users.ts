import { createHash, createHmac } from 'node:crypto';
import type { CouponPass } from '../../drain/coupon-pass.ts';
import { printable } from '../../lib/text/visible.ts';

/** How a user is named in logs. */
export type NameOf = (userId: string) => string;

const HASH_CHARS = 16;

/**
 * Names users by a hash. Its key is made of the secret part of the settings: all processes of one installation write the same name for a
 * user, and nobody without the settings can try out ids.
 */
export function hashedUsers(settings: string): NameOf {
  const key = createHash('sha256').update(settings).digest();
  return (userId) => createHmac('sha256', key).update(userId).digest('hex').slice(0, HASH_CHARS);
}

export const plainUsers: NameOf = (userId) => printable(userId, 128);

/** The same pass, in which no id of a user is left that a log may not show: neither by itself nor in what the ledger said. */
export function withNames(pass: CouponPass, nameOf: NameOf): CouponPass {
  const { refused, timeless, ...rest } = pass;
  return {
    ...rest,
    ...(refused
      ? { refused: refused.map(({ userId, reason }) => ({ userId: nameOf(userId), reason: nameIn(reason, userId, nameOf) })) }
      : {}),
    ...(timeless ? { timeless: timeless.map(nameOf) } : {}),
  };
}

function nameIn(text: string, userId: string, nameOf: NameOf): string {
  const id = userId.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return text.replaceAll(new RegExp(`(?<!\\w)${id}(?!\\w)`, 'g'), () => nameOf(userId));
}

/** The same text, with the users named in it who stand in keys of ours. */
export function nameInKeys(text: string, nameOf: NameOf): string {
  return text.replaceAll(
    /(issued_coupon:coupon:\S+?-user:)([^\s"',;)]+)/g,
    (_all, key: string, userId: string) => `${key}${nameOf(userId)}`,
  );
}
