import { isUserId } from '../../campaign/ids.ts';
import { objectFields, plain, type Serializer } from '../../lib/text/serialised.ts';

/** Whom a member of a queue stands for, or why that cannot be told. */
export type Member =
  | { userId: string; serializer: Serializer }
  | { problem: 'jdk' | 'no_user_id' }
  /** An object without the field; `fields` are those that it has. */
  | { problem: 'no_field'; fields: string[] };

/** @param field of the user id, where members are JSON objects */
export function readMember(member: string, field: string): Member {
  const { text, serializer } = plain(member);
  if (serializer === 'jdk') return { problem: 'jdk' };
  const fields = serializer === 'json' || serializer === 'typed_json' ? objectFields(text) : null;
  if (fields && fields[field] === undefined) return { problem: 'no_field', fields: Object.keys(fields) };
  const userId = fields ? fields[field]! : text;
  return isUserId(userId) ? { userId, serializer } : { problem: 'no_user_id' };
}
