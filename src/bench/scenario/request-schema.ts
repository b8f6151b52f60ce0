/** The shapes of requests in a scenario: the one that is measured, and the steps around it. */
import { z } from 'zod';
import { duration, text, whole } from './schema-parts.ts';

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name');
const headerText = z.string().regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII on one line');
const status = whole(100, 599);
const statuses = z.union([status, z.array(status).min(1).max(50)]);
const path = z.string().regex(/^\/[\x21-\x7e]*$/, 'must start with "/" and have no spaces');
const method = z.enum(['POST', 'PUT', 'PATCH', 'GET', 'DELETE']);
const fieldPath = z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be names joined by dots, such as result.code');

export const pattern = z.string().min(1).max(1_000).refine(isPattern, 'is no regular expression');

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'iu').test('') || true;
  } catch {
    return false;
  }
}

const content = {
  query: z
    .record(text(200), z.union([z.string().max(2_000), z.number(), z.boolean()]))
    .optional()
    .describe('Parameters after the "?" of the path; values may have {{variables}}.'),
  headers: z.record(headerName, headerText).default({}),
  auth: z
    .strictObject({ user: text(1_000), password: z.string().max(1_000) })
    .optional()
    .describe('Basic authentication; write the password as ${NAME}, which stands for a variable of the environment.'),
  json: z.json().optional().describe('The body; "{{userId:number}}" sends a number instead of a text, ":boolean" true or false.'),
  body: z.string().max(1_000_000).optional().describe('Any other body; values are escaped when the content type is that of a form.'),
};

const redirects = z
  .union([z.boolean(), whole(1, 20)])
  .default(false)
  .describe('Follow redirects on the same address, at most 5 or so many; the last reply counts.');

const captureRule = z.union([
  z.strictObject({ json: fieldPath }),
  z.strictObject({ header: headerName }),
  z.strictObject({ cookie: text(200) }),
  z.strictObject({ text: pattern.describe('The first group, or all that matches.') }),
]);

export const requestSchema = z.strictObject({
  method: method.default('POST'),
  path: path.default('/coupons/{{couponId}}/requests'),
  ...content,
  json: z.json().optional().describe('The body; without it a POST sends {"userId": "{{userId}}"}. "{{userId:number}}" sends a number.'),
  timeout: duration({ fallback: '5s', longest: '10m', least: 1 }),
  followRedirects: redirects,
  issueId: captureRule
    .optional()
    .describe('Where an accepted reply names the coupon that it issued. The same name for the same user is the same acceptance.'),
});

const capture = z
  .record(z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'must be letters, digits and "_"'), captureRule)
  .default({})
  .describe('Values of the reply that later requests use as {{name}}.');

export const stepSchema = z.strictObject({
  name: text(100).optional(),
  method: method.default('POST'),
  path: path.optional(),
  sql: text(20_000).optional().describe('Instead of a request: statements for DATABASE_URL, in one transaction. Not in `prepare`.'),
  command: z
    .array(z.string().max(10_000))
    .min(1)
    .max(100)
    .optional()
    .describe(
      'Instead of a request: a program and its arguments, run without a shell beside the scenario. Needs --run-commands. Not in `prepare`.',
    ),
  ...content,
  expect: statuses.optional().describe('Any 2xx or 3xx when left out.'),
  capture,
  timeout: duration({ fallback: '10s', longest: '10m', least: 1 }),
});

export const stepsSchema = z.array(stepSchema).max(20).default([]);

const rule = z.strictObject({
  status: statuses,
  code: text(100).optional().describe('The code of an RFC 9457 problem document: short for `json` with the path "code".'),
  json: z
    .strictObject({ path: fieldPath, equals: z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]) })
    .optional()
    .describe('One field of the reply, for services that say two things with one status.'),
  header: z
    .strictObject({ name: headerName, matches: pattern })
    .optional()
    .describe('A header of the reply and a regular expression, for services that answer by redirect or header.'),
  text: pattern
    .optional()
    .describe('A regular expression that the body must match, in any case of letters: for services that answer in words.'),
});

export const ruleSchema = z.union([rule, z.array(rule).min(1).max(20)]);

export const retrySchema = z
  .strictObject({
    on: z
      .array(z.enum(['busy', 'rate_limited', 'unavailable']))
      .min(1)
      .default(['busy', 'rate_limited']),
    times: whole(1, 1_000).default(3),
    delay: duration({ fallback: '100ms', longest: '1m' }),
    retryAfter: z.boolean().default(true).describe('Wait as long as the Retry-After of the reply says, at most a minute.'),
  })
  .optional()
  .describe('What clients do when they are told to come back: the same request again. The last reply counts.');

export const pollSchema = z
  .strictObject({
    method: method.default('GET'),
    path,
    ...content,
    capture,
    every: duration({ fallback: '500ms', longest: '1m', least: 1 }),
    timeout: duration({ fallback: '30s', longest: '1h', least: 1 }),
  })
  .optional()
  .describe('How a request that ended as `queued` learns what became of it; its outcome is what the last reply says.');
