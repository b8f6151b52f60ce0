import { parseDocument } from 'yaml';
import { z } from 'zod';
import { usageError } from '../../lib/errors.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { USUAL_OUTCOMES, variableFor, withVariables, type Draft, type DraftRequest } from './draft.ts';

const schemaObject = z.record(z.string(), z.unknown());
const operationSchema = z.looseObject({
  parameters: z.array(schemaObject).default([]),
  requestBody: schemaObject.optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string().default('') })).default({}),
});
const documentSchema = z.looseObject({
  servers: z.array(z.looseObject({ url: z.string() })).default([]),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

const METHODS = ['post', 'put', 'patch', 'get', 'delete'];
const LIKELY = /coupon|issue|claim|order|purchase|buy|sale|redeem|event/i;
const DEPTH = 8;

export interface OpenApiDraft {
  target: string | null;
  request: DraftRequest;
  outcomes: Draft['outcomes'];
}

/**
 * Path, body and statuses of one operation of an OpenAPI 3 description (JSON or YAML).
 *
 * @param operation such as `POST /coupons/{id}/issue`; left out: the one that looks most like it
 * @throws CouponError `BENCH_INIT`
 */
export function fromOpenApi(text: string, file: string, operation: string | undefined, userField?: string): OpenApiDraft {
  const parsed = documentSchema.safeParse(parseDocument(text).toJS({ maxAliasCount: 100 }));
  if (!parsed.success) throw bad(`${file} is no OpenAPI description: it has no paths`);
  const { paths, servers } = parsed.data;
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method] !== undefined).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method,
      read: methods[method],
    })),
  );
  const chosen =
    operation === undefined
      ? (all.find(({ method, path }) => method === 'post' && LIKELY.test(path)) ?? all.find(({ method }) => method === 'post') ?? all[0])
      : all.find(({ name }) => name === operation);
  if (chosen === undefined)
    throw bad(
      `${file} has no operation "${operation ?? ''}"${suggestion(
        operation ?? '',
        all.map(({ name }) => name),
      )}`,
    );
  const root = parsed.data;
  const read = operationSchema.safeParse(resolved(root, chosen.read));
  if (!read.success) throw bad(`${chosen.name} of ${file} cannot be read`);
  const { parameters, requestBody, responses } = read.data;
  const headers: Record<string, string> = {};
  const query: string[] = [];
  for (const given of parameters) {
    const parameter = resolved(root, given) as { name?: string; in?: string; required?: boolean; example?: unknown; schema?: unknown };
    if (parameter.name === undefined) continue;
    const variable = variableFor(parameter.name, userField);
    const value = variable ? `{{${variable}}}` : plain(parameter.example ?? exampleOf(root, parameter.schema, parameter.name));
    if (parameter.in === 'query' && parameter.required) query.push(`${parameter.name}=${value}`);
    else if (parameter.in === 'header' && parameter.required) headers[parameter.name] = value;
  }
  const path = pathOf(chosen.path, userField);
  const body = requestBody === undefined ? undefined : jsonBody(root, requestBody);
  return {
    target: servers[0] !== undefined && /^https?:\/\//.test(servers[0].url) ? servers[0].url.replace(/\/+$/, '') : null,
    request: {
      method: chosen.method.toUpperCase(),
      path: query.length === 0 ? path : `${path}?${query.join('&')}`,
      headers,
      ...(body === undefined ? {} : { json: withVariables(body, userField) }),
    },
    outcomes: outcomesFrom(responses),
  };
}

/** `/users/{id}` is about a user; what else a path names is what is sold. */
function pathOf(path: string, userField?: string): string {
  return path.replaceAll(/([^/]*)\/\{([^{}]+)\}/g, (_whole, before: string, name: string) => {
    const variable = variableFor(name, userField) ?? variableFor(`${before.replace(/s$/, '')}Id`) ?? 'couponId';
    return `${before}/{{${variable}}}`;
  });
}

function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '1';
}

function jsonBody(root: unknown, body: Record<string, unknown>): unknown {
  const content = (resolved(root, body) as { content?: Record<string, { example?: unknown; schema?: unknown }> }).content ?? {};
  const json = Object.entries(content).find(([type]) => /json/i.test(type))?.[1];
  return json && (json.example ?? exampleOf(root, json.schema, ''));
}

/** A value that fits a schema: its example, its first choice, or the simplest of its type. */
function exampleOf(root: unknown, given: unknown, name: string, depth = 0): unknown {
  const schema = resolved(root, given) as
    | {
        example?: unknown;
        default?: unknown;
        enum?: unknown[];
        type?: string | string[];
        properties?: Record<string, unknown>;
        items?: unknown;
        allOf?: unknown[];
      }
    | undefined;
  if (typeof schema !== 'object' || schema === null || depth > DEPTH) return undefined;
  const known = schema.example ?? schema.default ?? schema.enum?.[0];
  if (known !== undefined) return known;
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exampleOf(root, part, name, depth + 1)));
  switch ([schema.type].flat()[0] ?? (schema.properties ? 'object' : undefined)) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, exampleOf(root, inner, key, depth + 1) ?? null]),
      );
    case 'array':
      return [exampleOf(root, schema.items, name, depth + 1) ?? null];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    default:
      return name === '' ? undefined : 'text';
  }
}

/** Follows `$ref` within the document. */
function resolved(root: unknown, value: unknown, depth = 0): unknown {
  const reference = (value as { $ref?: unknown } | null | undefined)?.$ref;
  if (typeof reference !== 'string' || !reference.startsWith('#/') || depth > DEPTH) return value;
  let at: unknown = root;
  for (const step of reference.slice(2).split('/'))
    at = (at as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  return resolved(root, at, depth + 1);
}

const BY_WORDS: [outcome: string, words: RegExp][] = [
  ['sold_out', /sold.?out|exhaust|out of stock|no .*left|매진|소진/i],
  ['duplicate', /duplicate|already|twice|이미|중복/i],
  ['not_yet_open', /not.?yet.?open|not started|오픈 전/i],
  ['closed', /closed|종료/i],
  ['not_open', /not.?open/i],
  ['rate_limited', /rate.?limit|too many/i],
  ['unavailable', /unavailable|overload|busy/i],
];
const BY_STATUS: Record<number, string> = { 409: 'duplicate', 410: 'sold_out', 429: 'rate_limited', 503: 'unavailable' };

function outcomesFrom(responses: Record<string, { description: string }>): Draft['outcomes'] {
  const outcomes: Draft['outcomes'] = {};
  for (const [code, { description }] of Object.entries(responses)) {
    const status = Number(code);
    if (!Number.isInteger(status)) continue;
    const outcome = status < 300 ? 'accepted' : (BY_WORDS.find(([, words]) => words.test(description))?.[0] ?? BY_STATUS[status]);
    if (outcome !== undefined) outcomes[outcome] = [...(outcomes[outcome] ?? []), status];
  }
  return outcomes['accepted'] ? outcomes : { ...USUAL_OUTCOMES, ...outcomes };
}

function bad(message: string) {
  return usageError('BENCH_INIT', message, 'Name an OpenAPI 3 file, and with --operation "METHOD /path" one of its operations.');
}
