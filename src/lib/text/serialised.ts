/** Values as the serializers of Redis clients write them. */
import { parseExactJson } from './exact-json.ts';

/**
 * `string`: as it is. `json`: a text in quotes, or an object. `typed_json`: a Java class before the value, as
 * GenericJackson2JsonRedisSerializer writes it. `jdk`: bytes of a serialised Java object. `bytes`: other bytes that are no text.
 */
export type Serializer = 'string' | 'json' | 'typed_json' | 'jdk' | 'bytes';

export interface Plain {
  /** What was meant; of an object, its JSON. */
  text: string;
  serializer: Serializer;
}

/** `["java.lang.Long",7]`. The dot tells a class from a list of two texts. */
const TYPED = /^\[\s*"[A-Za-z_$][\w$]*(?:\.[\w$]+)+"\s*,\s*([^]+)\]$/;
const ESCAPED = /\\x[0-9a-f]{2}/;

/** A value without what its serializer has put around it. Lists of numbers stay: java.time writes dates so. */
export function plain(written: string): Plain {
  const text = written.trim();
  if (/^\\xac\\xed/i.test(text)) return { text: written, serializer: 'jdk' };
  if (ESCAPED.test(text)) return { text: written, serializer: 'bytes' };
  const typed = TYPED.exec(text)?.[1];
  if (typed !== undefined) return { text: plain(typed).text, serializer: 'typed_json' };
  if (text.startsWith('{') && text.endsWith('}')) return { text, serializer: 'json' };
  if (!/^"[^]*"$/.test(text)) return { text: written, serializer: 'string' };
  const inner = jsonText(text);
  return inner === null ? { text: written, serializer: 'string' } : { text: inner, serializer: 'json' };
}

/** Null: not a whole number, or one beyond what a double holds. */
export function wholeNumber(written: string): number | null {
  const digits = /^([+-]?\d+)(\.0+)?[lL]?$/.exec(plain(written).text.trim())?.[1];
  const value = Number(digits ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : null;
}

/**
 * The fields of a JSON object as text, without what a serializer has put around them; null: it is none. Whole numbers keep all their
 * digits: an id of 17 digits would become that of somebody else.
 */
export function objectFields(text: string): Record<string, string> | null {
  try {
    const value = parseExactJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fieldText(field)]));
  } catch {
    return null;
  }
}

function fieldText(field: unknown): string {
  return typeof field === 'string' ? field : plain(JSON.stringify(field)).text;
}

function jsonText(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
