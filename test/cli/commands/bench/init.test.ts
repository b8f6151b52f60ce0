import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseScenario, type Scenario } from '../../../../src/bench/scenario/scenario.ts';
import { shellWords } from '../../../../src/bench/init/curl.ts';
import { cli } from '../../../support/run-cli.ts';

async function written(...flags: string[]): Promise<Scenario & { text: string; secrets: string[] }> {
  const { stdout, stderr, exitCode, json } = await cli(['bench', 'init', ...flags, '--json']);
  if (exitCode !== 0) throw new Error(stderr || stdout);
  const { scenario: text, secrets } = json<{ scenario: string; secrets: string[] }>();
  const variables = Object.fromEntries(secrets.map((name) => [name, 'secret']));
  return { ...parseScenario(text, 'x.yaml', { variables }), text, secrets };
}

test('by flags, and checked by `bench check`', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const file = join(folder, 'sale.yaml');
  const { exitCode, stdout } = await cli([
    'bench',
    'init',
    '--url',
    'http://127.0.0.1:8080',
    '--path',
    '/c/{{couponId}}',
    '--total',
    '7',
    '--out',
    file,
  ]);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('wrote ') });
  expect((await cli(['bench', 'check', file])).exitCode).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('bench try FILE');
  expect((await cli(['bench', 'init', '--out', file])).stderr).toContain('exists already');
});

describe('from a curl command', () => {
  test('as a browser copies it', async () => {
    const { request, target, secrets, users, text } = await written(
      '--from-curl',
      `curl 'https://shop.example/api/coupons/7/issue?memberId=9&x=1' \\
  -H 'accept: application/json' -H 'authorization: Bearer abc.def' -H 'content-type: application/json' -b 'sid=1234' \\
  --data-raw $'{"memberId": 17, "couponId": 7, "note": "it\\'s", "tags": [{"userId": "u"}]}' --compressed`,
    );
    expect(target).toBe('https://shop.example');
    expect(request).toMatchObject({
      method: 'POST',
      path: '/api/coupons/7/issue?memberId={{userId}}&x=1',
      headers: { accept: 'application/json', authorization: 'Bearer secret', Cookie: 'secret' },
      json: { memberId: '{{userId:number}}', couponId: '{{couponId}}', note: "it's", tags: [{ userId: '{{userId}}' }] },
    });
    expect(secrets).toEqual(['TOKEN', 'COOKIE']);
    expect(users.prefix).toBe('');
    expect(text).not.toMatch(/abc\.def|1234/);
  });

  test('forms, Basic auth, a header that names the user, glued options', async () => {
    const { request, secrets } = await written(
      '--from-curl',
      `curl -XPUT -u shop:geheim -H"X-Member-Id: 5" -d user_id=5 -d agree=yes localhost:8080/buy`,
    );
    expect(request).toMatchObject({
      method: 'PUT',
      path: '/buy',
      body: 'user_id={{userId}}&agree=yes',
      headers: { 'X-Member-Id': '{{userId}}', 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(secrets).toEqual(['PASSWORD']);
  });

  test('a field that cannot be guessed is named', async () => {
    const { request } = await written('--user-field', 'who', '--from-curl', `curl --json '{"who":"kim","userId":"x"}' http://h/p`);
    expect(request.json).toEqual({ who: '{{userId}}', userId: 'x' });
  });

  test.each([
    ['wget http://x', /does not begin with "curl"/],
    ['curl -X POST', /names no URL/],
    [`curl 'http://x`, /never closed/],
    ['curl http://x -H', /-H has no value/],
  ])('%s: exit 2', async (command, words) => {
    const { exitCode, stderr } = await cli(['bench', 'init', '--from-curl', command]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
  });

  test('words of a shell', () => {
    expect(shellWords(`a 'b c' "d \\"e\\" $f" g\\ h $'i\\nj' '' k\\\n l`)).toEqual(['a', 'b c', 'd "e" $f', 'g h', 'i\nj', '', 'k', 'l']);
  });
});

describe('from an OpenAPI description', () => {
  const api = `
openapi: 3.0.3
servers: [{ url: 'http://127.0.0.1:9/api' }]
paths:
  /health: { get: { responses: { '200': { description: ok } } } }
  /login: { post: { responses: { '200': { description: ok } } } }
  /coupons/{id}/issue:
    post:
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: channel, in: query, required: true, schema: { type: string, enum: [web, app] } }
        - { name: X-User-Id, in: header, required: true, schema: { type: string } }
      requestBody: { $ref: '#/components/requestBodies/Issue' }
      responses:
        '201': { description: Issued }
        '400': { description: Coupon is sold out }
        '409': { description: Already issued }
        '429': { description: Too many requests }
  /users/{id}/buy: { put: { responses: { default: { description: any } } } }
components:
  requestBodies:
    Issue: { content: { application/json: { schema: { $ref: '#/components/schemas/Issue' } } } }
  schemas:
    Issue: { type: object, properties: { memberId: { type: integer }, agree: { type: boolean }, memo: { type: string } } }
`;
  const file = () => {
    const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'api.yaml');
    writeFileSync(path, api);
    return path;
  };

  test('path, parameters, body and statuses of the operation that looks like it', async () => {
    const { request, outcomes, target, users } = await written('--from-openapi', file());
    expect(target).toBe('http://127.0.0.1:9/api');
    expect(request).toMatchObject({
      method: 'POST',
      path: '/coupons/{{couponId}}/issue?channel=web',
      headers: { 'X-User-Id': '{{userId}}' },
      json: { memberId: '{{userId:number}}', agree: true, memo: 'text' },
    });
    expect(users.prefix).toBe('');
    expect(outcomes.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual([
      'accepted 201',
      'duplicate 409',
      'sold_out 400',
      'rate_limited 429',
    ]);
  });

  test('another one by name, or a suggestion', async () => {
    expect((await written('--from-openapi', file(), '--operation', 'PUT /users/{id}/buy')).request.path).toBe('/users/{{userId}}/buy');
    const { exitCode, stderr } = await cli(['bench', 'init', '--from-openapi', file(), '--operation', 'POST /coupons/{id}/isue']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('POST /coupons/{id}/issue') });
    expect((await cli(['bench', 'init', '--from-openapi', join(file(), 'x')])).exitCode).toBe(2);
  });
});

describe('on a terminal, when nothing was said', () => {
  const answered = (answers: string[], cwd = mkdtempSync(join(tmpdir(), 'coupon-'))) =>
    cli(['bench', 'init'], { tty: true, columns: 80, cwd, stdin: `${answers.join('\n')}\n` }).then((result) => ({ ...result, cwd }));

  test('asks, tells what is wrong with an answer and asks again, and writes the file', async () => {
    const { exitCode, stderr, stdout, cwd } = await answered([
      'shop.example',
      'https://shop.example',
      'get a coupon',
      'POST /api/coupons/{{couponId}}',
      'memberId',
      'yes',
      '7',
      '50',
      '',
      '201',
      '',
      '410, 400',
      'sale.yaml',
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toMatch(/Address of the service .*Address of the service /s);
    expect(stdout).toContain('wrote sale.yaml');
    const { request, coupons, users, outcomes, target } = parseScenario(readFileSync(join(cwd, 'sale.yaml'), 'utf8'), 'sale.yaml');
    expect({ target, request, coupons, users }).toMatchObject({
      target: 'https://shop.example',
      request: { method: 'POST', path: '/api/coupons/{{couponId}}', json: { memberId: '{{userId:number}}' } },
      coupons: [{ id: '7', total: 50 }],
      users: { count: 250, prefix: '' },
    });
    expect(outcomes.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual(
      expect.arrayContaining(['accepted 201', 'duplicate 409', 'sold_out 410', 'sold_out 400']),
    );
  });

  test('an empty answer takes what stands in brackets, and a file that exists is kept', async () => {
    const first = await answered(Array.from({ length: 12 }, () => ''));
    expect(first.exitCode).toBe(0);
    const again = await answered(
      Array.from({ length: 12 }, () => ''),
      first.cwd,
    );
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('exists already') });
  });

  test('input that ends is an error with the way out', async () => {
    const { exitCode, stderr } = await answered(['http://127.0.0.1:1']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('was not answered') });
  });
});

test.each([
  ['k6', "import http from 'k6/http';\nexport default function () {}"],
  ['Artillery', 'config:\n  target: http://x\nscenarios:\n  - flow: []\n'],
  ['JMeter', '<?xml version="1.0"?><jmeterTestPlan version="1.2"></jmeterTestPlan>'],
])('a file of %s is told as that', async (tool, text) => {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'other');
  writeFileSync(path, text);
  const { exitCode, stderr } = await cli(['bench', 'check', path]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(tool);
  expect(stderr).toContain('bench init');
});
