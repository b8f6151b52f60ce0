import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { CouponError } from '../../lib/errors.ts';
import { SAVE_AS_UTF8, utf8Text } from '../../lib/text/utf8.ts';
import type { Env } from '../env.ts';

export interface ConfigFile {
  /** As it is called in messages. */
  path: string;
  vars: Readonly<Record<string, string>>;
}

const FIX = 'Write one KEY=value on each line, in UTF-8; a value with a # in it needs quotes.';
/** Names of ours. The file may be shared with other programs, whose lines are theirs. */
const OURS = /\b(?:REDIS_URL|DATABASE_URL|PG[A-Z_]+|COUPON_[A-Z_]+)\b/;
/** A last line, so that what stands before it is not the last. */
const END = '\nEND_OF_FILE=1';

/**
 * The settings of a file of `KEY=value` lines: the one that --config names, or `.env` in the working folder, which need not exist. What
 * is there and cannot be read in full is refused: the settings that were missed would be taken from their defaults.
 *
 * @throws CouponError `BAD_CONFIG_FILE`
 */
export function readConfigFile(env: Pick<Env, 'cwd'>, named: string | null): ConfigFile {
  const path = named === null ? join(env.cwd, '.env') : resolve(env.cwd, named);
  const shown = named ?? '.env';
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder of that name may be a Python environment.
    if (named === null && (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR')) return { path: shown, vars: {} };
    throw refused(shown, `cannot be read (${code})`, 'Name a readable file of KEY=value lines, or take the file away.');
  }
  const text = utf8Text(bytes);
  if (text === null) throw refused(shown, 'is not UTF-8', SAVE_AS_UTF8);
  const { END_OF_FILE: _end, ...vars } = parseEnv(text + END) as Record<string, string>;
  for (const name of Object.keys(vars)) {
    // Node takes a line without = and the next one for one name, and so both are lost.
    if (!/^\w+$/.test(name) && OURS.test(name)) throw refused(shown, `line ${lineOf(text, name)} is not KEY=value`, FIX);
  }
  refuseCutValues(text, vars, shown);
  return { path: shown, vars };
}

/** Node ends a value without quotes at a #, also in the middle of a word: half a password would be left, and its rest be dropped. */
function refuseCutValues(text: string, vars: Readonly<Record<string, string>>, shown: string): void {
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', space = '', value = ''] = /^\s*(?:export\s+)?(\w+)\s*=(\s*)([^"'`].*)$/.exec(line) ?? [];
    const hash = value.indexOf('#');
    const comment = hash === 0 ? space !== '' : /\s/.test(value[hash - 1] ?? '');
    if (!OURS.test(name) || hash < 0 || comment || vars[name] !== value.slice(0, hash).trim()) continue;
    throw refused(shown, `the value of ${name} has a # in it`, 'Put the value in quotes; in a URL, write %23 for a # of its own.');
  }
}

function lineOf(text: string, name: string): number {
  return text.slice(0, Math.max(0, text.indexOf(name.split('\n', 1)[0]!))).split('\n').length;
}

/** Nothing of the file is repeated: a line that went wrong may hold a password. */
function refused(shown: string, why: string, fix: string): CouponError {
  return new CouponError({ code: 'BAD_CONFIG_FILE', kind: 'usage', message: `the settings file ${shown}: ${why}`, fix });
}
