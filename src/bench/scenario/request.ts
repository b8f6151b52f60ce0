import type { ScenarioDocument } from './schema.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import type { Report } from '../../lib/yaml-file.ts';

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

/** Without braces inside, a text of many `{{` is read once and not once for each. */
const VARIABLE = /\{\{([^{}]*)\}\}/g;
const OWN = ['userId', 'couponId', 'requestId'];

export function requestOf({ request }: ScenarioDocument, report: Report): RequestTemplate {
  const { method, path, headers, body, timeout } = request;
  if (request.json !== undefined && body !== undefined) report(['request', 'body'], 'goes not together with json');
  const bare = method === 'GET' || method === 'DELETE' || body !== undefined;
  const json = request.json === undefined && !bare ? { userId: '{{userId}}' } : request.json;
  for (const name of Object.keys(headers)) {
    if (/^(host|content-length|transfer-encoding|connection)$/i.test(name))
      report(['request', 'headers', name], 'is set by the load generator');
  }
  return { method, path, headers, json, body, timeoutMs: timeout };
}

/** Variables of a request that only a table of users can fill in. */
export function tableVariables(request: RequestTemplate): { all: string[]; inHeaders: string[] } {
  const foreign = (texts: readonly string[]): string[] => [
    ...new Set(
      texts.flatMap((text) => [...text.matchAll(VARIABLE)].map((match) => match[1]!.trim())).filter((name) => !OWN.includes(name)),
    ),
  ];
  const inHeaders = foreign(Object.values(request.headers));
  return { all: foreign([request.path, JSON.stringify(request.json ?? null), request.body ?? '', ...inHeaders.map(braced)]), inHeaders };
}

/** Every variable must be one of ours, or a column of the users' table. */
export function checkVariables(request: RequestTemplate, columns: readonly string[], report: Report): void {
  const known = [...OWN, ...columns];
  const check = (text: string, path: readonly PropertyKey[]): void => {
    for (const [, written] of text.matchAll(VARIABLE)) {
      const name = written!.trim();
      if (!known.includes(name)) report(path, `there is no variable "${braced(name)}"${suggestion(name, known)}`);
      // The writer of requests reads names of these characters.
      else if (!/^\w+$/.test(name)) report(path, `"${braced(name)}" cannot be a variable: letters, digits and "_" only`);
    }
  };
  check(request.path, ['request', 'path']);
  check(JSON.stringify(request.json ?? null), ['request', 'json']);
  check(request.body ?? '', ['request', 'body']);
  for (const [name, value] of Object.entries(request.headers)) check(value, ['request', 'headers', name]);
}

function braced(name: string): string {
  return `{{${name}}}`;
}
