import { headerOf } from '../report/unexplained.ts';
import { parseExactJson } from '../../lib/text/exact-json.ts';
import type { CaptureRule } from '../scenario/steps.ts';

/** A reply, as far as values are taken from it. */
export interface CapturedReply {
  body: string;
  /** Null: no such header. Several of one name are joined as HTTP does it, except for Set-Cookie. */
  header: (name: string) => string | null;
  setCookie: readonly string[];
}

/** @param headers names and values in turn */
export function replyOf(headers: readonly string[], body: string): CapturedReply {
  return { body, header: (name) => headerOf(headers, name.toLowerCase()), setCookie: setCookiesOf(headers) };
}

/** @param headers names and values in turn */
export function setCookiesOf(headers: readonly string[]): string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]!.toLowerCase() === 'set-cookie');
}

/** The value that a rule finds; null: there is none. */
export function captureFrom(rule: CaptureRule, { body, header, setCookie }: CapturedReply): string | null {
  if ('header' in rule) return header(rule.header);
  if ('cookie' in rule) return cookiesOf(setCookie).get(rule.cookie) ?? null;
  if ('text' in rule) {
    const match = new RegExp(rule.text, 'iu').exec(body);
    return match === null ? null : (match[1] ?? match[0]);
  }
  const value = valueAt(parseJson(body), rule.json.split('.'));
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Names and values; an empty value means that the cookie is taken back (as servers do it, with a date that is over). */
export function cookiesOf(setCookie: readonly string[]): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const line of setCookie) {
    const [, name, value] = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(line) ?? [];
    if (name !== undefined) cookies.set(name, value!.trim());
  }
  return cookies;
}

/**
 * @param kept as the header Cookie has them
 * @param set lines of Set-Cookie
 * @returns as the header Cookie will have them
 */
export function withCookies(kept: string, set: readonly string[]): string {
  const jar = cookiesOf(kept.split('; '));
  for (const [name, value] of cookiesOf(set)) {
    if (value === '') jar.delete(name);
    else jar.set(name, value);
  }
  return Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ');
}

/** Undefined: it is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return parseExactJson(body);
  } catch {
    return undefined;
  }
}

/** Undefined, which equals nothing that a rule can name, where there is no such field. */
export function valueAt(document: unknown, names: readonly string[]): unknown {
  let value = document;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
