import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a password file had to say: a password, or why it was of no use. */
export type FromPasswordFile = { password: string } | { note: string | null };

export interface PasswordQuestion {
  host: string;
  port: number;
  database: string;
  user: string;
}

/**
 * The password that libpq would find in a password file (PostgreSQL manual, "The Password File"). As there, a file that others may read
 * is left alone; unlike there, that is said where a password is then missing.
 *
 * @param named the file that `passfile` or PGPASSFILE names; undefined: `.pgpass` in the home folder
 */
export function passwordFromFile(question: PasswordQuestion, named: string | undefined, home: string | undefined): FromPasswordFile {
  const path = named ?? (home ? join(home, '.pgpass') : null);
  if (path === null) return { note: null };
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) return { note: 'the password file was not read, as others may read it: chmod 600 it' };
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { note: named === undefined && code === 'ENOENT' ? null : `the password file cannot be read (${code})` };
  }
  const password = passwordOf(text, question);
  return password === null ? { note: null } : { password };
}

/** The last field of the first line whose other four are equal to ours, or `*`. */
export function passwordOf(text: string, { host, port, database, user }: PasswordQuestion): string | null {
  // For a socket, libpq looks for the name of this machine.
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    // A backslash keeps a colon or a backslash from being one.
    const fields = [...line.matchAll(/(?:^|:)((?:\\.|[^:\\])*)/g)].map(([, field = '']) => field.replaceAll(/\\(.)/g, '$1'));
    if (fields.length < 5 || !wanted.every((value, index) => fields[index] === '*' || fields[index] === value)) continue;
    return fields[4] || null;
  }
  return null;
}
