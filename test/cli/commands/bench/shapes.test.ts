import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { cli, type CliResult } from '../../../support/run-cli.ts';
import { SHAPES, shapedShop, type Shape, type Shop, type ShopFault } from '../../../support/shaped-shop.ts';
import { AUTHORITY } from '../../../support/tls-server.ts';

const TOTAL = 40;
const BY_STATUS = { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } };
const field = (path: string, equals: string) => ({ status: [200, 202], json: { path, equals } });

/** What a scenario for each shape says beside the common parts. */
const SCENARIOS: Record<Shape, object> = {
  token: {
    prepare: [{ path: '/login', json: { id: '{{userId}}' }, capture: { token: { json: 'data.accessToken' } } }],
    request: { path: '/coupons', headers: { Authorization: 'Bearer {{token}}' }, json: {} },
  },
  cookie: {
    prepare: [{ path: '/session', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'user={{userId}}', expect: 302 }],
    request: { path: '/coupons', json: {} },
  },
  'rotating-cookie': {
    // Who asks twice at once would use one session twice.
    users: { count: 160, duplicateRate: 0.2, impatience: 0 },
    prepare: [{ path: '/session', json: { id: '{{userId}}' } }],
    request: { path: '/enter', json: {}, followRedirects: true },
    phases: [{ vus: 2, maxDuration: '20s' }],
  },
  numeric: {
    users: { count: 160, duplicateRate: 0.2, prefix: '', start: 100 },
    request: { path: '/users/{{userId}}/coupons', query: { event: 7 }, json: { userId: '{{userId:number}}', agree: true, tags: ['a'] } },
  },
  'always-200': {
    outcomes: {
      accepted: { status: 200, json: { path: 'success', equals: true } },
      refused: { status: 200, json: { path: 'success', equals: false } },
    },
  },
  polling: {
    outcomes: {
      accepted: field('state', 'accepted'),
      duplicate: field('state', 'duplicate'),
      sold_out: field('state', 'sold_out'),
      queued: field('state', 'PENDING'),
    },
    poll: { path: '/orders/{{order}}', capture: { order: { json: 'order.id' } }, every: '5ms', timeout: '10s' },
  },
  limited: { retry: { on: ['rate_limited'], times: 20 } },
  busy: {
    outcomes: { ...BY_STATUS, busy: { status: 409, json: { path: 'error', equals: 'unable to acquire lock' } } },
    retry: { times: 30, delay: '1ms' },
  },
  redirecting: { request: { path: '/old', json: { userId: '{{userId}}' }, followRedirects: true } },
  'header-answer': {
    outcomes: Object.fromEntries(
      ['accepted', 'duplicate', 'sold_out'].map((name) => [name, { status: 200, header: { name: 'X-Result', matches: `^${name}$` } }]),
    ),
  },
  compressed: {
    outcomes: { accepted: field('result', 'accepted'), duplicate: field('result', 'duplicate'), sold_out: field('result', 'sold_out') },
  },
  'basic-auth': { request: { path: '/', json: { userId: '{{userId}}' }, auth: { user: 'shop', password: '${SHOP_PASSWORD}' } } },
  tls: { tls: { ca: 'authority.pem' } },
  ipv6: {},
  'http-1.0': {},
};

function scenarioFile(shape: Shape, shop: Shop, changes: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(folder, 'authority.pem'), AUTHORITY);
  const path = join(folder, 'shape.yaml');
  const scenario = {
    version: 1,
    name: shape,
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 160, duplicateRate: 0.2 },
    request: { path: '/', json: { userId: '{{userId}}' } },
    outcomes: BY_STATUS,
    phases: [{ vus: 10, maxDuration: '20s' }],
    settle: { timeout: '5s', quietFor: '50ms' },
    verify: { csv: shop.csv, skip: ['stock_adds_up', 'first_come_first_served'] },
    ...SCENARIOS[shape],
    ...changes,
  };
  writeFileSync(path, JSON.stringify(scenario));
  return path;
}

const bench = (path: string, shop: Shop, flags: string[] = []): Promise<CliResult> =>
  cli(['bench', path, '--url', shop.url, '--json', ...flags], { vars: { SHOP_PASSWORD: 'p@ss:word' } });

async function verdictOf(shape: Shape, fault: ShopFault, changes: object = {}): Promise<BenchReport> {
  await using shop = await shapedShop(shape, TOTAL, fault);
  const result = await bench(scenarioFile(shape, shop, changes), shop);
  if (result.stdout === '') throw new Error(result.stderr);
  return result.json<BenchReport>();
}

describe.each(SHAPES)('a service of the shape %s', (shape) => {
  test('is proven when it is sound', async () => {
    const { verdict, outcomes, exitCode, integrity } = await verdictOf(shape, 'sound');
    expect({ verdict, outcomes, exitCode, open: integrity.filter((one) => one.status !== 'pass') }).toMatchObject({
      verdict: { integrity: 'pass' },
      outcomes: { accepted: TOTAL, unexpected: 0, unknown: 0, unsent: 0, queued: 0 },
      exitCode: 0,
    });
  });

  test('is broken when it oversells', async () => {
    const report = await verdictOf(shape, 'oversells');
    expect(report.exitCode).toBe(4);
    expect(report.integrity.filter((one) => one.status === 'fail').map((one) => one.check)).toContain('issued_within_total');
  });

  test('is not proven when it loses accepted users; an export alone does not tell lost from late', async () => {
    const report = await verdictOf(shape, 'loses', { settle: { timeout: '200ms', quietFor: '50ms' } });
    expect(report).toMatchObject({ exitCode: 5, verdict: { integrity: 'inconclusive' } });
    expect(report.integrity.find((one) => one.check === 'accepted_are_issued')).toMatchObject({ reason: 'NOT_SETTLED', count: 4 });
  });
});

test('both times of a request that is decided later are kept', async () => {
  const { latency, outcomes } = await verdictOf('polling', 'sound');
  expect(outcomes.queued).toBe(0);
  expect(latency.queued!.p50).toBeLessThan(latency.accepted!.p50);
});

test('without polling the list decides about those who are queued, and nobody was promised anything', async () => {
  await using shop = await shapedShop('polling', TOTAL);
  const report = (await bench(scenarioFile('polling', shop, { poll: undefined }), shop)).json<BenchReport>();
  expect(report).toMatchObject({ verdict: { integrity: 'held' }, exitCode: 0, outcomes: { queued: 192, accepted: 0 } });
  expect(report.integrity.find((one) => one.check === 'accepted_are_issued')).toMatchObject({ reason: 'NOTHING_PROMISED' });
  await using broken = await shapedShop('polling', TOTAL, 'oversells');
  expect((await bench(scenarioFile('polling', broken, { poll: undefined }), broken)).exitCode).toBe(4);
});

test('what users were prepared with is kept for the next run, for the owner alone', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'prepared.jsonl');
  const path = scenarioFile('token', shop);
  expect((await bench(path, shop, ['--prepared', file])).exitCode).toBe(0);
  expect(shop.heard['/login']).toBe(160);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await bench(path, shop, ['--prepared', file]);
  expect(shop.heard['/login']).toBe(160);
  writeFileSync(file, readFileSync(file, 'utf8').replace(shop.url, 'http://127.0.0.1:1'));
  const other = await bench(path, shop, ['--prepared', file]);
  expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is for http://127.0.0.1:1') });
});

test('a login that fails is an error before the load, with the reply', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const path = scenarioFile('token', shop, {
    prepare: [{ path: '/login', json: { id: '{{userId}}' }, capture: { token: { json: 'token' } } }],
  });
  const { exitCode, stderr } = await bench(path, shop);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/POST \/login for user user-\d+: the reply has no field token for \{\{token\}\}; no load was sent/);
  expect(stderr).toContain('accessToken');
  expect(shop.heard['/coupons']).toBeUndefined();
});

test('rounds run on the state that `before` makes, until one is not proven', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const steps = { setup: [{ path: '/login', json: { id: 'admin' }, capture: { admin: { json: 'data.accessToken' } } }] };
  const before = [{ path: '/reset', headers: { Authorization: 'Bearer {{admin}}' } }];
  const result = await bench(scenarioFile('token', shop, { ...steps, before, rounds: 3 }), shop);
  expect(result.json<BenchReport>()).toMatchObject({ rounds: { planned: 3, run: 3, shown: 3 }, verdict: { integrity: 'pass' } });
  expect(result.stderr).toContain('round 2 of 3: pass');
  expect(shop.heard).toMatchObject({ '/login': 1 + 160, '/reset': 3, '/coupons': 3 * 192 });
  const stale = await bench(scenarioFile('token', shop, { rounds: 3 }), shop);
  expect(stale).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('COUPON_NOT_FRESH') });
  await using broken = await shapedShop('token', TOTAL, 'oversells');
  const first = await bench(scenarioFile('token', broken, { ...steps, before, rounds: 3 }), broken);
  expect(first.json<BenchReport>()).toMatchObject({ rounds: { planned: 3, run: 1, shown: 1 }, exitCode: 4 });
});

test('try sends one user through all steps and shows everything but the secrets', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const path = scenarioFile('token', shop);
  const { stdout, exitCode } = await cli(['bench', 'try', path, '--url', shop.url, '--user', 'user-5']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/> POST http.*\/login[\s\S]*< 200[\s\S]*> POST http.*\/coupons[\s\S]*Authorization: \*\*\*[\s\S]*< 201/);
  expect(stdout).toContain('user-5 → c1: accepted');
  expect(stdout).not.toContain('token-of-user-5');
  expect(existsSync(join(path, '..', 'prepared'))).toBe(false);
  const again = await cli(['bench', 'try', path, '--url', shop.url, '--user', 'user-5', '--json']);
  expect(again.json<{ outcome: string }>()).toMatchObject({ outcome: 'duplicate', exchanges: [{}, { reply: { status: 409 } }] });
});

test('try follows redirects, retries and polls as the load does', async () => {
  for (const shape of ['polling', 'rotating-cookie', 'redirecting', 'busy', 'compressed'] as const) {
    await using shop = await shapedShop(shape, TOTAL);
    const { stdout } = await cli(['bench', 'try', scenarioFile(shape, shop), '--url', shop.url]);
    expect(stdout).toContain('user-1 → c1: accepted');
  }
});
