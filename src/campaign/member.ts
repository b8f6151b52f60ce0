/**
 * Members of Redis as text. Other services may write any bytes; two members must never become one text, and every text must lead
 * back to its member, or no operator could look at it or drop it.
 *
 * A valid user id is its own text. What cannot be shown is written as `\xNN`, byte by byte; see {@link USER_ID}, which keeps such
 * escapes out of user ids.
 */

/** A byte that is written as an escape. */
export const ESCAPE = /\\x([0-9a-fA-F]{2})/;

const ESCAPES = new RegExp(ESCAPE.source, 'g');
/** Control and format characters: they could move the cursor, or hide what stands beside them. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;
const BACKSLASH = 0x5c;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const bytesOf = new TextEncoder();

/** The text of a member. */
export function escapeMember(bytes: Uint8Array): string {
  const text = decoded(bytes);
  if (text !== null && !INVISIBLE.test(text) && !ESCAPE.test(text)) return text;
  let escaped = '';
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== BACKSLASH;
    escaped += isPlain ? String.fromCodePoint(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/** The member that a text stands for. Exact inverse of {@link escapeMember}. */
export function unescapeMember(text: string): Uint8Array {
  const parts: number[] = [];
  let from = 0;
  for (const match of text.matchAll(ESCAPES)) {
    parts.push(...bytesOf.encode(text.slice(from, match.index)), Number.parseInt(match[1]!, 16));
    from = match.index + match[0].length;
  }
  return Uint8Array.from([...parts, ...bytesOf.encode(text.slice(from))]);
}

/** The order in which Redis has members of one score: by their bytes. For `toSorted`. */
export function compareMembers(a: string, b: string): number {
  return Buffer.compare(unescapeMember(a), unescapeMember(b));
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
