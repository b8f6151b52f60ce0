/** What keeps a coupon from being taken over: each with what was found, and what to do about it. */
import { SAMPLE_SIZE } from './sample.ts';
import { usageError, CouponError } from '../../lib/errors.ts';
import { plural } from '../../lib/text/figures.ts';
import { printable } from '../../lib/text/visible.ts';
import { command, shellQuoted } from '../../lib/text/suggested-command.ts';
import type { Sampled } from './sample.ts';

const SPRING_STRINGS =
  'Give that RedisTemplate StringRedisSerializer for keys, hash keys and values (or use StringRedisTemplate), let the service write them again, and run this again.';
const JDK = 'the JDK serializer (JdkSerializationRedisSerializer, the default of RedisTemplate)';

/** What may be met many times, by code. */
export const MET = {
  SERIALIZED_MEMBERS: {
    says: (n: string) => `${n} of the queue, written by ${JDK}`,
    one: 'member',
    fix: SPRING_STRINGS,
  },
  SERIALIZED_VALUES: { says: (n: string) => `${n}, written by ${JDK}`, one: 'hash field', fix: SPRING_STRINGS },
  SERIALIZED_KEYS: {
    says: (n: string) => `${n} of this coupon, spelled by a JDK or JSON serializer, so that nothing finds them`,
    one: 'key',
    fix: SPRING_STRINGS,
  },
  MEMBER_FIELD: {
    says: (n: string) => `${n} of the queue: JSON objects without the field that names the user`,
    one: 'member',
    fix: 'Name the field with --member-field.',
  },
  BAD_USER_IDS: {
    says: (n: string) => `${n} without a valid user id`,
    one: 'user',
    fix: 'A user id is 1–128 visible ASCII characters other than "{" and "}". Correct or remove them (ZREM for the queue, RENAME for issued keys), and run this again.',
  },
  SCORES_NO_TIME: {
    says: (n: string) => `${n} of the queue with scores that are no time: they cannot be put on one scale with the others`,
    one: 'member',
    fix: 'Write the request times of these users with ZADD, in seconds, milliseconds or microseconds since 1970, and run this again.',
  },
  UNREADABLE_TIMES: {
    says: (n: string) => `${n} with a text that is no time`,
    one: 'field',
    fix: 'Correct them with HSET: ISO 8601, or empty for none. Or name another field with --field.',
  },
  TIMES_WITHOUT_ZONE: {
    says: (n: string) => `${n} with a time that has no zone`,
    one: 'field',
    fix: 'Say in which zone the service writes them: --time-zone Asia/Seoul.',
  },
  SKIPPED_BY_CLOCKS: {
    says: (n: string) => `${n} with a time that the clocks of this zone skip`,
    one: 'field',
    fix: 'Check --time-zone, or correct them with HSET.',
  },
  ISSUED_WRONG_TYPE: {
    says: (n: string) => `${n} of issued coupons with another type than a hash`,
    one: 'key',
    fix: 'Find out which program writes them, and move them away with RENAME. A set of all issued users cannot be taken over.',
  },
} as const;

export type MetCode = keyof typeof MET;

export function metProblem(code: MetCode, { count, sample }: Sampled): CouponError {
  const { says, one, fix } = MET[code];
  const n = plural(count, one);
  return new CouponError({ code, kind: 'usage', message: says(n), why: samples(count, sample), fix });
}

function samples(count: number, sample: readonly string[]): string {
  const shown = sample.map((one) => printable(one)).join(', ');
  return count > SAMPLE_SIZE ? `the first ones: ${shown}` : shown;
}

export function notFound(couponId: string, key: string): CouponError {
  return usageError(
    'COUPON_NOT_IN_REDIS',
    `there is no ${printable(key)} in Redis`,
    `Check REDIS_URL, --key-prefix and --hash-key; ${command`seed ${couponId} --name … --stock …`} sets a new coupon up.`,
  );
}

export function unknownField(option: string, there: readonly string[]): CouponError {
  return new CouponError({
    code: 'FIELD_NOT_FOUND',
    kind: 'usage',
    message: `--field ${shellQuoted(option)}: there is no such field`,
    why: there.length > 0 ? `fields are ${there.map((name) => printable(name, 40)).join(', ')}` : undefined,
    fix: 'Name a field that is there, or leave the option out.',
  });
}

export function noNumber(name: 'total' | 'stock', key: string, found: string | undefined, fix: string): CouponError {
  const what = found === undefined ? `has no field ${name}` : `has "${printable(found, 40)}" in ${name}, which is no whole number`;
  return usageError(name === 'total' ? 'TOTAL_UNKNOWN' : 'STOCK_UNKNOWN', `${printable(key)} ${what}`, fix);
}
