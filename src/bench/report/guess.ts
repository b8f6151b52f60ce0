/** What an unexplained reply looks like to somebody who has seen many: the rule that may be missing, or what may be wrong. */
import { parseExactJson } from '../../lib/text/exact-json.ts';
import type { UnexplainedReply } from './unexplained.ts';

/** Fields by which services say how a request ended, the most telling first. */
const TELLING = ['code', 'outcome', 'result', 'status', 'error', 'success', 'ok', 'message'];
const WORDS: readonly (readonly [outcome: string, RegExp])[] = [
  ['sold_out', /sold.?out|exhaust|no (stock|coupons?)|out of stock|매진|소진|마감/i],
  ['duplicate', /duplicate|already|이미|중복/i],
  ['not_yet_open', /not.?(yet.?open|started)|오픈 전/i],
  ['closed', /closed|ended|종료/i],
  ['not_open', /not.?open/i],
  ['rate_limited', /rate.?limit|too many/i],
  ['busy', /busy|retry|lock|conflict|잠시 후/i],
  ['accepted', /^(ok|true|success|accepted|issued|created|completed)$|발급|성공/i],
];

/** One sentence; null: nothing comes to mind. */
export function guess({ status, contentType, body, headers = {} }: Omit<UnexplainedReply, 'count' | 'outcome'>): string | null {
  if (headers['www-authenticate'] !== undefined || status === 401) return 'the service wants to know who asks: set request.headers';
  if (status >= 300 && status < 400)
    return headers['location'] === undefined ? 'a redirect' : `a redirect to ${headers['location']}: point target or request.path there`;
  if (status === 429) return ruleText('rate_limited', status, null);
  if (headers['retry-after'] !== undefined) return ruleText('unavailable', status, null);
  if (status === 415) return 'the service takes another content type: set request.headers';
  const field = fieldOf(body);
  if (field) {
    const said = WORDS.find(([, words]) => words.test(String(field.value)));
    if (said) return ruleText(said[0], status, field);
    if (status === 200 || status === 201 || status === 202) return ruleText('accepted', status, field);
  }
  if (status === 404 || status === 405) return 'the path or the method may be wrong: see request.path and request.method';
  if (status === 400 || status === 422)
    return 'the service does not take the request as it is: see request.path, request.json and request.headers';
  if (status >= 500) return 'the service failed; its log says why';
  const word = WORDS.find(([, words]) => words.test(body));
  return contentType?.includes('json') || !word ? null : ruleText(word[0], status, null);
}

interface Field {
  path: string;
  value: string | number | boolean;
}

function fieldOf(body: string): Field | null {
  let document: unknown;
  try {
    document = parseExactJson(body);
  } catch {
    return null;
  }
  if (typeof document !== 'object' || document === null) return null;
  const fields = document as Record<string, unknown>;
  for (const path of TELLING) {
    const value = fields[path];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { path, value };
  }
  return null;
}

/** As it would stand in the scenario. */
function ruleText(outcome: string, status: number, field: Field | null): string {
  const json = field ? `, json: { path: ${field.path}, equals: ${JSON.stringify(field.value)} }` : '';
  return `a rule for it could be \`outcomes: { ${outcome}: { status: ${status}${json} } }\``;
}
