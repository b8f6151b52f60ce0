import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CouponError } from '../../../src/lib/errors.ts';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';

const MINIMAL = `
version: 1
name: rush
coupons:
  - { id: a, total: 10 }
users: { count: 100 }
phases:
  - { vus: 5 }
`;

/** Place and message of every problem, without the file name. */
function problems(text: string): string[] {
  const error = refusal(text);
  expect(error).toMatchObject({ code: 'BAD_SCENARIO', kind: 'usage' });
  // The lines that point into the text are indented.
  const lines = (error?.why ?? '').split('\n').filter((line) => !line.startsWith('  '));
  return lines.map((line) => line.replace('f.yaml:', ''));
}

function refusal(text: string): CouponError | null {
  try {
    parseScenario(text, 'f.yaml');
    return null;
  } catch (error) {
    if (error instanceof CouponError) return error;
    throw error;
  }
}

const withLine = (line: string): string => `${MINIMAL}${line}\n`;
const replaced = (from: string, to: string): string => MINIMAL.replace(from, to);

describe('a scenario', () => {
  test('needs little: the rest is the endpoint of this project', () => {
    expect(parseScenario(MINIMAL, 'f.yaml')).toMatchObject({
      name: 'rush',
      target: null,
      coupons: [{ id: 'a', name: 'a', total: 10, expiry: { kind: 'never' } }],
      request: { method: 'POST', path: '/coupons/{{couponId}}/requests', json: { userId: '{{userId}}' }, timeoutMs: 5_000 },
      users: { count: 100, prefix: 'user-', start: 1, duplicateRate: 0 },
      phases: [{ name: 'phase 1', executor: 'shared-iterations', vus: 5, iterations: 100, maxDurationMs: 600_000 }],
      gracefulStopMs: 10_000,
      settle: { timeoutMs: 120_000, quietForMs: 500 },
      drain: { intervalMs: 2_000, batch: 100, eager: false },
      thresholds: [],
      skip: [],
    });
  });

  test('speaks of any service: paths, bodies, statuses, codes', () => {
    const scenario = parseScenario(
      `${MINIMAL}
target: https://shop.example/api/
request:
  path: /campaigns/{{couponId}}/issue
  headers: { Idempotency-Key: '{{requestId}}' }
  json: { user: { id: '{{userId}}' } }
outcomes:
  accepted: { status: [200, 201] }
  sold_out: [{ status: 200, code: SOLD_OUT }, { status: 410 }]
  unknown: { status: 504 }
`,
      'f.yaml',
    );
    expect(scenario.target).toBe('https://shop.example/api');
    expect(scenario.outcomes).toEqual([
      { outcome: 'sold_out', status: 200, json: { path: 'code', equals: 'SOLD_OUT' } },
      { outcome: 'accepted', status: 200, json: null },
      { outcome: 'accepted', status: 201, json: null },
      { outcome: 'sold_out', status: 410, json: null },
      { outcome: 'unknown', status: 504, json: null },
      { outcome: 'rate_limited', status: 429, json: null },
    ]);
  });

  test('rules may look for a text; a field says more than a text, and a text more than a status', () => {
    const rules = (text: string) => parseScenario(withLine(`outcomes: { ${text} }`), 'x.yaml').outcomes;
    const found = rules(
      "accepted: { status: 200 }, sold_out: { status: 200, text: '매진|sold.?out' }, duplicate: { status: 200, code: DUP }",
    );
    expect(found.map(({ outcome }) => outcome)).toEqual(['duplicate', 'sold_out', 'accepted', 'rate_limited']);
    expect(problems(withLine("outcomes: { accepted: { status: 200, text: '(' } }")).join()).toContain('is no regular expression');
    expect(problems(withLine('outcomes: { accepted: { status: 200, text: x, code: y } }')).join()).toContain(
      'header, text and json (or code) go not together',
    );
  });

  test('a variable without quotes is not taken for a map as a key', () => {
    expect(problems(withLine('request: { json: { userId: {{userId}} } }'))).toEqual([
      '9:29 a map cannot be a name; a variable stands in quotes: "{{userId}}"',
    ]);
    expect(problems(withLine('request: { json: { ids: [{{userId}}, {{ couponId }}] } }'))).toHaveLength(2);
    expect(problems(withLine('request:\n  json:\n    ? [a, b]\n    : 1')).join()).toContain('a list cannot be a name');
  });

  test('durations may have several units, as the first page of k6 writes them', () => {
    expect(parseScenario(withLine('gracefulStop: 1m30s'), 'x.yaml').gracefulStopMs).toBe(90_000);
  });

  test('JSON is YAML', () => {
    expect(
      parseScenario(
        JSON.stringify({ version: 1, name: 'j', coupons: [{ id: 'a', total: 1 }], users: { count: 1 }, phases: [{ vus: 1 }] }),
        'f',
      ).name,
    ).toBe('j');
  });

  test.each(readdirSync('scenarios').filter((file) => file.endsWith('.yaml')))('%s, which comes with the program, is valid', (file) => {
    const scenario = parseScenario(readFileSync(`scenarios/${file}`, 'utf8'), file);
    expect(`${scenario.name}.yaml`).toBe(file);
    expect(scenario.description).not.toBe('');
  });
});

test('a problem is shown in its line, below Hangul too', () => {
  expect(refusal(withLine('gracefulStop: "5"'))?.why).toMatch(/\n {4}gracefulStop: "5"\n {4}\^/);
  const hangul = 'probe: { path: "/쿠폰", status: 5 }';
  const [, shown, caret] = /\n {4}(probe.*)\n {4}( *\^)$/.exec(refusal(withLine(hangul))?.why ?? '') ?? [];
  expect(shown).toBe(hangul);
  // Each syllable takes two columns.
  expect(caret).toHaveLength(hangul.indexOf('status') + 1 + 2);
});

describe('what is wrong is named with its place', () => {
  test.each([
    ['an unknown key, with a suggestion', withLine('thresholdz: {}'), ['9:1 thresholdz: is an unknown key; did you mean "thresholds"?']],
    [
      'an unknown key further in',
      replaced('total: 10', 'total: 10, totl: 1'),
      ['5:25 coupons[0].totl: is an unknown key; did you mean "total"?'],
    ],
    ['a missing field', replaced('users: { count: 100 }', 'users: {}'), ['6:8 users.count: is missing']],
    ['a number out of bounds', replaced('vus: 5', 'vus: 10001'), ['8:7 phases[0].vus: too big: must be <=10000']],
    [
      'an executor that there is not',
      replaced('vus: 5', 'vus: 5, executor: ramping'),
      ['8:15 phases[0].executor: must be one of shared-iterations, constant-vus, ramping-vus, constant-arrival-rate, ramping-arrival-rate'],
    ],
    [
      'a setting of another executor',
      replaced('vus: 5', 'vus: 5, executor: constant-vus, duration: 1s, stages: []'),
      ['8:53 phases[0].stages: is no key of this kind'],
    ],
    [
      'more arrivals than users would make requests',
      replaced('vus: 5', 'executor: constant-arrival-rate, rate: 100, duration: 2s, maxVUs: 5'),
      ['8:5 phases[0]: makes 200 requests, but of the 100 of these users only 100 are left; raise users.count'],
    ],
    ['an environment variable that is not set', withLine('target: "http://${HOST}/"'), ['9:9 the environment variable HOST is not set']],
    [
      'a field and a code at once',
      withLine('outcomes: { accepted: { status: 200, code: A, json: { path: b, equals: 1 } } }'),
      ['9:13 outcomes.accepted: code goes not together with json: it is short for json with the path "code"'],
    ],
    [
      'an early end by what is only known at the end',
      withLine('thresholds: { issue_rate: { threshold: "value>1", abortOnFail: true } }'),
      ['9:15 thresholds.issue_rate: is only known after the load: abortOnFail is not possible'],
    ],
    ['a duration without a unit', withLine('gracefulStop: "5"'), ['9:1 gracefulStop: duration: "5" is not a duration']],
    ['a duration that is too long', withLine('settle: { timeout: 25h }'), ['9:11 settle.timeout: must be at most 24h']],
    ['another version', replaced('version: 1', 'version: 2'), ['2:1 version: must be 1, the only version there is']],
    [
      'the same coupon twice',
      replaced('- { id: a, total: 10 }', '- { id: a, total: 10 }\n  - { id: a, total: 3 }'),
      ['6:7 coupons[1].id: "a" is there twice'],
    ],
    [
      'an unknown variable',
      withLine('request: { path: "/{{userid}}" }'),
      ['9:12 request.path: there is no variable "{{userid}}"; did you mean "userId"?'],
    ],
    [
      'a header that breaks out of its line',
      withLine('request: { headers: { A: "x\\r\\nB: y" } }'),
      ['9:23 request.headers.A: must be printable ASCII on one line'],
    ],
    [
      'a header that is the generator’s',
      withLine('request: { headers: { Connection: x } }'),
      ['9:23 request.headers.Connection: is set by the load generator'],
    ],
    [
      'more requests than users would make',
      replaced('vus: 5', 'vus: 5, iterations: 101'),
      ['8:15 phases[0].iterations: only 100 of the 100 requests of these users are left for this phase'],
    ],
    [
      'a prefix that makes bad user ids',
      replaced('count: 100', 'count: 100, prefix: "a b"'),
      ['6:22 users.prefix: "a b100" would not be a user id: it is not 1–128 visible ASCII characters other than "{" and "}"'],
    ],
    [
      'two meanings for one status',
      withLine('outcomes: { accepted: { status: 200 }, sold_out: { status: 200 } }'),
      ['9:40 outcomes.sold_out: status 200 stands for accepted already'],
    ],
    [
      'nothing that means accepted',
      withLine('outcomes: { sold_out: { status: 410 } }'),
      ['9:1 outcomes: needs at least a rule for "accepted"'],
    ],
    [
      'an unknown metric',
      withLine('thresholds: { outcome_acepted: "count==1" }'),
      ['9:15 thresholds.outcome_acepted: there is no metric "outcome_acepted"; did you mean "outcome_accepted"?'],
    ],
    [
      'a check that there is not',
      withLine('verify: { skip: [fairness] }'),
      [expect.stringContaining('9:18 verify.skip[0]: must be one of issued_within_total, one_per_user')],
    ],
    [
      'a target with a password',
      withLine('target: http://me:secret@host/'),
      ['9:1 target: the target is not a plain http:// or https:// address'],
    ],
    [
      'a coupon that closes before it opens',
      replaced('total: 10', 'total: 10, opensAt: 2026-01-02T00:00Z, closesAt: 2026-01-01T00:00Z'),
      [expect.stringContaining('coupons[0]: the coupon would close')],
    ],
  ])('%s', (_, text, expected) => expect(problems(text)).toEqual(expected));

  test('all problems at once', () => {
    expect(problems(replaced('vus: 5', 'vus: 0').replace('total: 10', 'total: -1').replace('count: 100', 'count: x'))).toHaveLength(3);
  });

  test('a text that is not YAML, or nothing at all', () => {
    expect(problems('a: [1\nb: }')[0]).toMatch(/^2:1 /);
    expect(problems('')).toHaveLength(1);
  });

  test('aliases that unfold without end', () => {
    const layers = Array.from(
      { length: 12 },
      (_, layer) => `a${layer + 1}: &a${layer + 1} [${Array.from({ length: 9 }, () => `*a${layer}`).join(', ')}]`,
    );
    expect(problems(`a0: &a0 [x]\n${layers.join('\n')}\n`)).toEqual([expect.stringContaining('alias')]);
  });
});
