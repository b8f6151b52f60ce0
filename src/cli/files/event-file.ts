import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { parseEvent } from '../../campaign/event.ts';
import type { CouponDefinition } from '../../campaign/coupon.ts';
import { usageError } from '../../lib/errors.ts';
import type { Env } from '../env.ts';

/** The coupons of an event file; `-` reads standard input. */
export async function readEventFile(env: Env, path: string, zone?: string): Promise<CouponDefinition[]> {
  if (path === '-') return parseEvent(await readAll(env.stdin), 'stdin', zone);
  let text: string;
  try {
    text = await readFile(resolve(env.cwd, path), 'utf8');
  } catch (error) {
    throw usageError(
      'BAD_EVENT_FILE',
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Name a readable YAML file, or - for stdin.',
    );
  }
  return parseEvent(text, path, zone);
}
