/** What is known of a service when a scenario for it is written. */
export interface Draft {
  name: string;
  target: string | null;
  coupon: { id: string; total: number };
  users: { count: number; numeric: boolean };
  request: DraftRequest;
  /** Outcomes and the statuses that mean them. */
  outcomes: Record<string, number[]>;
  /** Environment variables that stand for secrets. */
  secrets: string[];
  insecure: boolean;
}

export interface DraftRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  json?: unknown;
  body?: string;
  auth?: { user: string; password: string };
}

export const USUAL_OUTCOMES: Draft['outcomes'] = { accepted: [200, 201, 202], duplicate: [409], sold_out: [410], unavailable: [503] };

const USER_FIELD = /^x?-?(user|member|customer|buyer|account|client)[-_]?(id|no|key|name)?$/i;
const COUPON_FIELD = /^(coupon|event|campaign|product|item|promotion|sale)[-_]?(id|no|code|key)?$/i;

/** The variable that a field, parameter or header of this name stands for; null: none that could be guessed. */
export function variableFor(name: string, userField?: string): 'userId' | 'couponId' | null {
  if (userField === undefined ? USER_FIELD.test(name) : name.toLowerCase() === userField.toLowerCase()) return 'userId';
  return COUPON_FIELD.test(name) ? 'couponId' : null;
}

/** Values of fields that name a user or a coupon become variables, at any depth. */
export function withVariables(value: unknown, userField?: string, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withVariables(one, userField, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withVariables(inner, userField, key)]));
  const variable = name === '' ? null : variableFor(name, userField);
  if (variable === null) return value;
  return variable === 'userId' && typeof value === 'number' ? '{{userId:number}}' : `{{${variable}}}`;
}

/** Whether the service takes users as numbers. */
export function hasNumericUsers(request: DraftRequest): boolean {
  return JSON.stringify(request.json ?? null).includes('{{userId:number}}');
}

const quoted = (value: unknown): string => JSON.stringify(value);

/** The text of a scenario that `bench check` accepts, with what to look at in comments. */
export function scenarioText({ name, target, coupon, users, request, outcomes, secrets, insecure }: Draft): string {
  const { method, path, headers, json, body, auth } = request;
  const lines = [
    `# Written by \`coupon-cli bench init\`. Look at each part, then`,
    '#',
    '#   coupon-cli bench check FILE                      is it right, and what can it prove? Nothing is sent',
    '#   coupon-cli bench try FILE --url URL --user ID    one user through all steps, every reply shown',
    '#   coupon-cli bench FILE --url URL --out report     the load, and the proof',
    'version: 1',
    `name: ${quoted(name)}`,
    ...(target === null ? [] : [`target: ${quoted(target)}`]),
    ...(insecure ? ['tls: { insecure: true } # any certificate is taken, and the report says so'] : []),
    '',
    '# What the service sells. It must be fresh before each run: see `setup` and `before` for requests that make it so.',
    `coupons: [{ id: ${quoted(coupon.id)}, total: ${coupon.total} }]`,
    '',
    '# More users than coupons, and some who ask twice: without both, over-issue and double issue could not show.',
    `users: { count: ${users.count}, prefix: ${users.numeric ? "''" : 'user-'}, duplicateRate: 0.2 }`,
    '',
    ...(secrets.length === 0 ? [] : [`# Secrets come from the environment: ${secrets.join(', ')}.`]),
    'request:',
    `  method: ${method}`,
    `  path: ${quoted(path)}`,
    ...(Object.keys(headers).length === 0 ? [] : [`  headers: ${quoted(headers)}`]),
    ...(auth ? [`  auth: ${quoted(auth)}`] : []),
    ...(json === undefined ? [] : [`  json: ${quoted(json)}`]),
    ...(body === undefined ? [] : [`  body: ${quoted(body)}`]),
    '',
    '# What the replies mean. A rule may also look at a field (json: {path, equals}), a header, or a text.',
    'outcomes:',
    ...Object.entries(outcomes).map(
      ([outcome, statuses]) => `  ${outcome}: { status: ${statuses.length === 1 ? statuses[0] : quoted(statuses)} }`,
    ),
    '',
    'phases:',
    '  - { name: rush, executor: shared-iterations, vus: 50, maxDuration: 1m }',
    '',
    '# Where the truth is read afterwards. `replies` alone proves the least: name the table, an export or the keys.',
    '#   verify: { sql: { query: "SELECT user_id, created_at AS requested_at FROM issued WHERE coupon_id = $1" } }',
    '#   verify: { redis: { keys: { stock: "stock:{couponId}", issuedUsers: "buyers:{couponId}", queue: null } } }',
    'verify: { replies: true }',
    '',
  ];
  return lines.join('\n');
}
