import type { CouponError } from '../../../lib/errors.ts';
import { WrongTypeError } from '../../../campaign/wrong-type.ts';
import type { RedisConnection } from '../connection/connection.ts';
import { KEY_TYPES, type CouponKeys } from './keys.ts';
import { toBytes } from './members.ts';
import { repliesOf } from './replies.ts';

/**
 * What a failed call on the keys of one coupon means. WRONGTYPE names no key, so the keys are asked for their types: only now,
 * after the failure, because the good case must not pay for it.
 *
 * @param otherwise makes the error of everything else
 */
export async function couponFault(
  connection: RedisConnection,
  keys: CouponKeys,
  error: unknown,
  otherwise: (error: unknown) => CouponError = (other) => connection.explain(other),
): Promise<CouponError> {
  const fixed = Object.entries(KEY_TYPES).map(([name, type]) => ({ key: keys[name as keyof typeof KEY_TYPES], type }));
  return (await wrongTypeOf(connection, error, fixed)) ?? otherwise(error);
}

/** Null: the error is no WRONGTYPE, or every key has the right type by now. */
export async function wrongTypeOf(
  connection: RedisConnection,
  error: unknown,
  keys: readonly { key: string; type: string }[],
): Promise<WrongTypeError | null> {
  if (!(error instanceof Error) || !error.message.startsWith('WRONGTYPE')) return null;
  try {
    const commands = connection.client.pipeline();
    for (const { key } of keys) commands.type(toBytes(key));
    const types = (await repliesOf(commands)) as string[];
    const at = types.findIndex((found, i) => found !== 'none' && found !== keys[i]!.type);
    return at < 0 ? null : new WrongTypeError({ key: keys[at]!.key, found: types[at]!, expected: keys[at]!.type });
  } catch {
    // The link went away meanwhile: what is known is the first error.
    return null;
  }
}
