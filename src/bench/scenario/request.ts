import type { z } from 'zod';
import type { requestSchema, stepSchema } from './request-schema.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/** Variables in double braces are filled in for each request, each escaped for its place. */
export interface RequestTemplate {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Undefined: no JSON body. */
  json: unknown;
  /** Any other body. */
  body?: string | undefined;
  timeoutMs: number;
}

type Written = Omit<z.output<typeof stepSchema>, 'name' | 'path' | 'sql' | 'command' | 'expect' | 'capture'> & { path: string };
type Path = readonly PropertyKey[];

/** Without braces inside, a text of many `{{` is read once and not once for each. */
const VARIABLE = /\{\{([^{}]*)\}\}/g;
/** In JSON the whole of a text may be a variable of another type. */
const TYPED = /^\{\{\s*(\w+)\s*:\s*(number|boolean)\s*\}\}$/;
export const OWN_VARIABLES = ['userId', 'couponId', 'requestId'];

export function requestOf(request: z.output<typeof requestSchema>, report: Report): RequestTemplate {
  const bare = request.method === 'GET' || request.method === 'DELETE' || request.body !== undefined;
  const json = request.json === undefined && !bare ? { userId: '{{userId}}' } : request.json;
  return templateOf({ ...request, json }, ['request'], report);
}

export function templateOf(
  { method, path, query, headers, auth, json, body, timeout }: Written,
  at: Path,
  report: Report,
): RequestTemplate {
  if (json !== undefined && body !== undefined) report([...at, 'body'], 'goes not together with json');
  const given = (name: string): boolean => Object.keys(headers).some((one) => one.toLowerCase() === name);
  for (const name of Object.keys(headers)) {
    if (/^(content-length|transfer-encoding|connection)$/i.test(name)) report([...at, 'headers', name], 'is set by the load generator');
  }
  if (auth && given('authorization')) report([...at, 'auth'], 'goes not together with the header Authorization');
  if (auth?.user.includes(':')) report([...at, 'auth', 'user'], 'must not have a ":" (RFC 7617)');
  const basic = auth ? { Authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` } : {};
  return { method, path: withQuery(path, query), headers: { ...headers, ...basic }, json, body, timeoutMs: timeout };
}

function withQuery(path: string, query: Written['query'] = {}): string {
  // Variables stay as they are: the writer escapes their values.
  const escaped = (text: string): string =>
    text
      .split(/(\{\{[^{}]*\}\})/)
      .map((part, index) => (index % 2 === 1 ? part : encodeURIComponent(part)))
      .join('');
  const parameters = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${escaped(String(value))}`);
  if (parameters.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.join('&')}`;
}

/** Variables of requests that only a table of users can fill in. */
export function tableVariables(requests: readonly RequestTemplate[], captured: readonly string[]): Wanted {
  const known = [...OWN_VARIABLES, ...captured];
  const foreign = (texts: readonly string[]): string[] => [
    ...new Set(
      texts.flatMap((text) => [...text.matchAll(VARIABLE)].map((match) => nameOf(match[1]!))).filter((name) => !known.includes(name)),
    ),
  ];
  const inHeaders = foreign(requests.flatMap(({ headers }) => Object.values(headers)));
  const all = foreign(
    requests.flatMap(({ path, json, body, headers }) => [path, JSON.stringify(json ?? null), body ?? '', ...Object.values(headers)]),
  );
  return { all, inHeaders };
}

export interface Wanted {
  all: string[];
  inHeaders: string[];
}

function nameOf(written: string): string {
  return written.replace(/:.*$/s, '').trim();
}

/** Every variable must be one that is known here; a typed one must be the whole of a text in JSON. */
export function checkVariables(request: RequestTemplate, known: readonly string[], at: Path, report: Report): void {
  const check = (text: string, path: Path, typed = false): void => {
    if (typed && TYPED.test(text)) {
      const name = TYPED.exec(text)![1]!;
      if (!known.includes(name)) report(path, `there is no variable "${braced(name)}"${suggestion(name, known)}`);
      return;
    }
    for (const [, written] of text.matchAll(VARIABLE)) {
      const name = written!.trim();
      if (/:\s*(number|boolean)\s*$/.test(name) && known.includes(nameOf(name)))
        report(path, `"${braced(name)}" must be the whole of a text in json`);
      else if (!known.includes(name)) report(path, `there is no variable "${braced(name)}"${suggestion(name, known)}`);
      // The writer of requests reads names of these characters.
      else if (!/^\w+$/.test(name)) report(path, `"${braced(name)}" cannot be a variable: letters, digits and "_" only`);
    }
  };
  check(request.path, [...at, 'path']);
  for (const text of textsOf(request.json)) check(text, [...at, 'json'], true);
  check(request.body ?? '', [...at, 'body']);
  for (const [name, value] of Object.entries(request.headers)) check(value, [...at, 'headers', name]);
}

/** Keys and values that are text, at any depth. */
function textsOf(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  if (Array.isArray(json)) return json.flatMap(textsOf);
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) => [...textsOf(value), ...(key.includes('{{') ? [key] : [])]);
}

/** Variables that JSON bodies of these requests send as a number or as true or false. */
export function typedVariables(requests: readonly RequestTemplate[]): { name: string; type: ValueType }[] {
  return requests.flatMap(({ json }) =>
    textsOf(json).flatMap((text) => {
      const [, name, type] = TYPED.exec(text) ?? [];
      return name === undefined ? [] : [{ name, type: type as ValueType }];
    }),
  );
}

export type ValueType = 'number' | 'boolean';

/** Whether a text can be sent as a JSON value of this type as it stands. */
export function fitsType(value: string, type: ValueType): boolean {
  return type === 'boolean' ? /^(true|false)$/.test(value) : /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value);
}

function braced(name: string): string {
  return `{{${name}}}`;
}
