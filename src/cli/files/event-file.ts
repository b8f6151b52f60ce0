import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { parseEvent } from '../../campaign/event.ts';
import type { CouponDefinition } from '../../campaign/coupon.ts';
import { CouponError, usageError } from '../../lib/errors.ts';
import { SAVE_AS_UTF8, utf8Text } from '../../lib/text/utf8.ts';
import type { Env } from '../env.ts';

/** More than an event file may have in characters, whatever they are. */
const MAX_BYTES = 16_000_000;

/** The coupons of an event file; `-` reads standard input. @throws CouponError `BAD_EVENT_FILE` */
export async function readEventFile(env: Env, path: string, zone?: string): Promise<CouponDefinition[]> {
  if (path === '-') return parseEvent(await textOf(env.stdin, 'stdin'), 'stdin', zone);
  let text: string;
  try {
    text = await textOf(createReadStream(resolve(env.cwd, path)), path);
  } catch (error) {
    if (error instanceof CouponError) throw error;
    throw usageError(
      'BAD_EVENT_FILE',
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Name a readable YAML file, or - for stdin.',
    );
  }
  return parseEvent(text, path, zone);
}

/** Nothing is read beyond the limit: what is longer than a string can be is refused like any other file. */
async function textOf(stream: Readable, file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as string);
    size += bytes.length;
    if (size > MAX_BYTES) {
      throw usageError(
        'BAD_EVENT_FILE',
        `${file} has more than ${MAX_BYTES} bytes; nothing was done`,
        'An event file is YAML with a list of coupons; is it this one?',
      );
    }
    chunks.push(bytes);
  }
  const text = utf8Text(Buffer.concat(chunks));
  if (text === null) throw usageError('BAD_EVENT_FILE', `${file} is not UTF-8; nothing was done`, SAVE_AS_UTF8);
  return text;
}
