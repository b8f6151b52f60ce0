/**
 * What users were prepared with, kept for the next run: a line with the names of the values, then a line for each user. Tokens and cookies
 * are secrets, so only the owner may read the file.
 */
import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { usageError } from '../../lib/errors.ts';
import type { Prepared, UserDirectory } from '../plan/user-plan.ts';

const headSchema = z.strictObject({ prepared: z.literal(1), target: z.string(), columns: z.array(z.string()) });
const rowSchema = z.array(z.string()).min(1);
const LINES_AT_ONCE = 1_000;

interface About {
  target: string;
  columns: readonly string[];
}

/**
 * Values by user id; null: there is no such file yet.
 *
 * @throws CouponError `BAD_PREPARED`: not such a file, or one for another service or other steps
 */
export async function readPrepared(path: string, about: About): Promise<Map<string, readonly string[]> | null> {
  const users = new Map<string, readonly string[]>();
  let line = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (line > 1) {
        const [userId, ...values] = rowSchema.length(about.columns.length + 1).parse(JSON.parse(text));
        users.set(userId!, values);
        continue;
      }
      const head = headSchema.parse(JSON.parse(text));
      if (head.target !== about.target) throw bad(path, `is for ${head.target}`);
      if (head.columns.join() !== about.columns.join()) throw bad(path, 'has other values than the steps of this scenario capture');
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (error instanceof z.ZodError || error instanceof SyntaxError) throw bad(path, `is not such a file (line ${line})`);
    if (code !== undefined && code !== 'BAD_PREPARED') throw bad(path, `cannot be read (${code})`);
    throw error;
  }
  return users;
}

/** Replaces the file in one step. @throws CouponError `BAD_PREPARED` when it cannot be written */
export async function writePrepared(path: string, { target }: About, { columns, rows }: Prepared, users: UserDirectory): Promise<void> {
  const half = `${path}.tmp`;
  try {
    const file = await open(half, 'w', 0o600);
    try {
      await file.write(`${JSON.stringify({ prepared: 1, target, columns })}\n`);
      for (let from = 0; from < rows.length; from += LINES_AT_ONCE) {
        const lines = rows.slice(from, from + LINES_AT_ONCE).map((row, index) => `${JSON.stringify([users.id(from + index), ...row])}\n`);
        await file.write(lines.join(''));
      }
    } finally {
      await file.close();
    }
    await rename(half, path);
  } catch (error) {
    throw bad(path, `cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

function bad(path: string, what: string) {
  return usageError(
    'BAD_PREPARED',
    `${path}, the file of prepared users, ${what}; no load was sent`,
    'Delete it to prepare all users again, or name another file.',
  );
}
