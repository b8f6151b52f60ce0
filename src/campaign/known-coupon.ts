import { CouponError, usageError } from '../lib/errors.ts';
import { plural } from '../lib/text/figures.ts';
import { command, shellQuoted } from '../lib/text/suggested-command.ts';
import type { LedgerCoupon, LedgerReader } from './ports/ledger.ts';
import { LEDGER_BEHIND, verifyAgainstLedger, type VerifyPorts } from './verify-coupon.ts';

/**
 * The coupon as the ledger has it.
 *
 * @param keyStyle left out: nothing in Redis is looked at
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`, `COUPON_NOT_READY`
 */
export async function knownCoupon(ledger: Pick<LedgerReader, 'coupon'>, couponId: string, keyStyle?: string): Promise<LedgerCoupon> {
  const coupon = await ledger.coupon(couponId);
  if (!coupon) {
    throw usageError(
      'COUPON_UNKNOWN',
      `there is no coupon ${couponId} in the ledger`,
      `${command`seed ${couponId} --name … --stock …`} makes one; \`coupon-cli inspect\` lists them.`,
    );
  }
  if (keyStyle !== undefined && coupon.keyStyle !== keyStyle) throw keyStyleMismatch(couponId, coupon.keyStyle, keyStyle);
  if (coupon.state !== 'ready') {
    throw usageError(
      'COUPON_NOT_READY',
      coupon.state === 'seeding' || coupon.state === 'adopting'
        ? `the ${coupon.state} of coupon ${couponId} was not finished`
        : `a reset or purge of coupon ${couponId} was not finished`,
      coupon.state === 'seeding' || coupon.state === 'adopting'
        ? `Run the same command again: ${coupon.state === 'seeding' ? command`seed ${couponId} …` : command`adopt ${couponId} …`} finishes what is missing.`
        : `Run the same command again: ${command`seed ${couponId} … --reset --confirm=${couponId}`} or ${command`purge ${couponId} --confirm=${couponId}`}.`,
    );
  }
  return coupon;
}

export function keyStyleMismatch(couponId: string, seeded: string, given: string): CouponError {
  return usageError(
    'KEY_STYLE_MISMATCH',
    `coupon ${couponId} was seeded with key style ${seeded}, not ${given}`,
    `Use --key-style ${shellQuoted(seeded)}, or set COUPON_KEY_STYLE.`,
  );
}

/**
 * Checks a coupon of the ledger against Redis, for the server process that runs there now.
 *
 * @throws CouponError `COUPON_NOT_IN_REDIS`, `COUPON_SUSPECT`
 */
export async function verifyCoupon(ports: VerifyPorts, coupon: LedgerCoupon): Promise<void> {
  const result = await verifyAgainstLedger(ports, coupon);
  if (result.status === 'gone') throw couponNotInRedis(coupon.id);
  if (result.status === 'suspect') throw couponSuspect(coupon.id, result.reason);
}

export function couponNotInRedis(couponId: string): CouponError {
  return usageError(
    'COUPON_NOT_IN_REDIS',
    `the ledger has coupon ${couponId}, but Redis does not know it`,
    `Redis was emptied or replaced, or this is another Redis: check REDIS_URL; if it is the right one, ${command`audit ${couponId} --repair`} rebuilds what the ledger knows.`,
  );
}

export function couponSuspect(couponId: string, reason: string): CouponError {
  return new CouponError({
    code: 'COUPON_SUSPECT',
    kind: 'broken',
    message: `coupon ${couponId} is out of service: Redis and the ledger disagree about it`,
    why: SUSPECT_REASONS[reason] ?? `marked "${reason}"`,
    fix: `${command`audit ${couponId}`} says what is wrong, ${command`audit ${couponId} --repair --dry-run`} what would mend it.`,
  });
}

/** `up to 500 accepted users may be missing`. */
export function upToMissing(users: number): string {
  return `up to ${plural(users, 'accepted user')} may be missing`;
}

/** What `verify.lua` and the drain write into `suspect`, in words. */
export const SUSPECT_REASONS: Readonly<Record<string, string>> = {
  gone: 'the ledger has the coupon, Redis does not',
  fields: 'Redis has lost fields of the coupon: another program rewrote its hash',
  epoch: 'Redis holds another life of the coupon than the ledger',
  fence: 'Redis is behind the ledger: it lost data, or was restored from an older file',
  [LEDGER_BEHIND]: 'the ledger is behind Redis: it lost data, or was restored from an older backup',
  version: 'Redis holds older settings of the coupon than the ledger',
  stock: 'the stock in Redis is missing or not a number',
  state: 'the state in Redis is none of open, paused and closed: another program wrote it',
  admitted: 'Redis has lost the record of who was accepted: it was evicted, has expired or was deleted',
  coupons_total: 'the ledger refused a batch because it would have passed the total',
  foreign_key: 'the ledger lost the coupon while it was being drained',
  adopting: 'it is being adopted, or that was begun and not finished: run `coupon-cli adopt` again',
  repair: 'a repair was begun and not finished: run it again',
};
