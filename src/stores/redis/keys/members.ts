/** Members and keys between their bytes and the text that the rest of the program knows them by. */
import { escapeMember, unescapeMember } from '../../../campaign/member.ts';

/** What Redis is sent for the text of a member, or of a key that holds one. */
export function toBytes(text: string): string | Buffer {
  // A text without an escape is its own member.
  return text.includes('\\x') ? Buffer.from(unescapeMember(text)) : text;
}

/** The text of a member, or of a key. */
export function toText(bytes: Buffer | string): string {
  return typeof bytes === 'string' ? bytes : escapeMember(bytes);
}
