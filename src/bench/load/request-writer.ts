import type { RequestTemplate } from '../scenario/request.ts';
import { OWN_VARIABLES } from '../scenario/request.ts';
import type { LoadPlan } from '../ports.ts';
import { COOKIE_COLUMN, type CookieJar } from './cookie-jar.ts';

/** The bytes of request number `row`. */
export type RequestWriter = (row: number) => Buffer;

type WriterPlan = Pick<LoadPlan, 'target' | 'request' | 'couponIds' | 'requests' | 'users'> & Partial<Pick<LoadPlan, 'shared'>>;

/**
 * Compiles the request template once, so that a request costs two small string joins. autocannon's own way to vary requests
 * (`setupRequest`) rebuilds everything each time and costs three times as much processor time per request.
 */
export function requestWriter(plan: WriterPlan, runId: string, jar: CookieJar | null = null): RequestWriter {
  const { names, of } = rowValues(plan, runId, jar);
  const write = compiled(plan.request, plan.target, names);
  return (row) => write(of(row));
}

/** The variables of a request, by place. */
export interface RowValues {
  names: string[];
  of: (row: number) => string[];
}

export function rowValues(plan: WriterPlan, runId: string, jar: CookieJar | null): RowValues {
  const { request, requests, users, couponIds, shared = {} } = plan;
  const usesId = JSON.stringify(request).includes('requestId');
  const ofRun = Object.values(shared);
  const columns = users.columns.filter((name) => jar === null || name !== COOKIE_COLUMN);
  const places = columns.map((name) => users.columns.indexOf(name));
  return {
    names: [...OWN_VARIABLES, ...columns, ...Object.keys(shared), ...(jar ? [COOKIE_COLUMN] : [])],
    of(row) {
      const user = requests.user[row]!;
      const values = [users.id(user), couponIds[requests.coupon[row]!]!, usesId ? `${runId}-${requests.requestId[row]!}` : ''];
      for (const place of places) values.push(users.value(user, place));
      for (const value of ofRun) values.push(value);
      if (jar) values.push(jar.of(user));
      return values;
    },
  };
}

/** Instead of what the template says: where a redirect leads. */
export interface Elsewhere {
  /** Path and query as they are sent. */
  path: string;
  /** 303, and what clients make of 301 and 302 after a POST: a GET without a body. */
  asGet: boolean;
}

/** @returns the bytes for these values, which stand in the order of `names` */
export function compiled(
  request: RequestTemplate,
  target: string,
  names: readonly string[],
): (values: readonly string[], elsewhere?: Elsewhere) => Buffer {
  const { host, pathname } = new URL(target);
  const path = template(`${pathname.replace(/\/$/, '')}${request.path}`, inPath, names);
  const cookie = names.indexOf(COOKIE_COLUMN);
  const headers = template(headerLines(request, host), asItIs, names);
  const body = bodyTemplate(request, names);
  return (values, elsewhere) => {
    const method = elsewhere?.asGet ? 'GET' : request.method;
    const text = body && !elsewhere?.asGet ? body(values) : null;
    const length = text === null ? '' : `Content-Length: ${Buffer.byteLength(text)}\r\n`;
    const cookies = cookie >= 0 && values[cookie] !== '' ? `Cookie: ${values[cookie]}\r\n` : '';
    return Buffer.from(`${method} ${elsewhere?.path ?? path(values)} HTTP/1.1\r\n${headers(values)}${cookies}${length}\r\n${text ?? ''}`);
  };
}

function bodyTemplate(request: RequestTemplate, variables: readonly string[]): Template | null {
  if (request.json !== undefined) return template(untyped(JSON.stringify(request.json)), inJson, variables);
  if (request.body === undefined) return null;
  const type = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  return template(request.body, /x-www-form-urlencoded/i.test(type) ? inPath : asItIs, variables);
}

/** A text that is nothing but a number or a boolean loses its quotes; the values were checked when the scenario was read. */
export function untyped(json: string): string {
  return json.replaceAll(/"\{\{\s*(\w+)\s*:\s*(?:number|boolean)\s*\}\}"/g, '{{$1}}');
}

function headerLines(request: RequestTemplate, host: string): string {
  const given = Object.keys(request.headers).map((name) => name.toLowerCase());
  const lines = [...(given.includes('host') ? [] : [`Host: ${host}`]), 'Connection: keep-alive'];
  if (request.json !== undefined && !given.includes('content-type')) lines.push('Content-Type: application/json');
  if (!given.includes('user-agent')) lines.push('User-Agent: coupon-cli-bench');
  for (const [name, value] of Object.entries(request.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n`;
}

type Template = (values: readonly string[]) => string;

const asItIs = (text: string): string => text;
/** Most ids need no escaping, and to see that costs a fraction of doing it. */
const PLAIN = /^[\w.-]*$/;
const inPath = (text: string): string => (PLAIN.test(text) ? text : encodeURIComponent(text));
const inJson = (text: string): string => (PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1));

/** Splits a text at its variables; the result joins it again with their values, escaped for the place. */
export function template(text: string, escape: (value: string) => string, variables: readonly string[]): Template {
  const parts = text.split(/\{\{\s*(\w+)\s*\}\}/);
  // split() with one group gives text and variable in turn.
  const fixed = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1).map((name) => variables.indexOf(name));
  return (values) => {
    let out = fixed[0]!;
    for (let index = 0; index < names.length; index += 1) out += escape(values[names[index]!]!) + fixed[index + 1]!;
    return out;
  };
}
