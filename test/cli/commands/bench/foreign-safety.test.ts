import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { FOREIGN_TABLE, foreignServer, type ForeignVariant } from '../../../support/foreign-server.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

const COUPON = 'summer-2027';
const EXAMPLE = parse(readFileSync('scenarios/foreign-service.example.yaml', 'utf8')) as { verify: { redis: object } };

let stores: TestStores;
let folder: string;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  await stores.clear();
  await stores.sql(FOREIGN_TABLE);
  await stores.sql('TRUNCATE member_coupon');
});

function scenario(changes: object = {}): string {
  const path = join(folder, 'foreign.yaml');
  writeFileSync(path, JSON.stringify({ ...EXAMPLE, settle: { timeout: '20s', quietFor: '250ms' }, ...changes }));
  return path;
}

describe('refused before anything is sent', () => {
  test.each<[string, object, string, number]>([
    ['a total that is not the service’s', { coupons: [{ id: COUPON, total: 99 }] }, 'SCENARIO_COUPON_DIFFERS', 2],
    ['a coupon that the service does not have', { coupons: [{ id: 'winter', total: 100 }] }, 'SCENARIO_COUPON_MISSING', 2],
    ['a hash without the stock', { verify: { redis: { fields: { stock: 'left' } } } }, 'SCENARIO_COUPON_MISSING', 2],
    ['a query that means nothing', { verify: { sql: { query: 'SELECT $1::text AS member' } } }, 'VERIFY_QUERY', 2],
    ['a probe that answers something else', { probe: { path: '/health', status: 200 } }, 'BENCH_PROBE_REFUSED', 3],
  ])('%s', async (_, changes, code, exitCode) => {
    await using server = await foreignServer(stores, COUPON, { total: 100 });
    const result = await cli([...at(stores), 'bench', scenario(changes), '--url', server.url]);
    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(`[${code}]`) });
    expect(await stores.redis.hget(`coupon:${COUPON}`, 'stock')).toBe('100');
  });

  test.each([
    ['on a stack of ours', ['--stack'], 'BENCH_USAGE'],
    ['a store elsewhere', ['--url', 'http://127.0.0.1:1', '--redis-url', 'redis://redis.example'], 'TARGET_REFUSED'],
    [
      'a target elsewhere, though the stores are allowed',
      ['--url', 'http://shop.example', '--allow-target', 'redis.example'],
      'TARGET_REFUSED',
    ],
  ])('%s', async (_, flags, code) => {
    expect(await cli(['bench', scenario(), ...flags])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`[${code}]`) });
  });
});

test('the probe is one GET, and the first thing that the service hears', async () => {
  const heard: string[] = [];
  const server = createServer((request, reply) => {
    heard.push(`${request.method} ${request.url}`);
    reply.writeHead(request.method === 'GET' ? 204 : 410, { 'content-length': 0 }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const changes = {
    probe: { path: '/alive', status: [200, 204] },
    users: { count: 3 },
    phases: [{ vus: 1 }],
    outcomes: { accepted: { status: 202 }, sold_out: { status: 410 } },
  };
  await cli(['bench', scenario({ ...changes, verify: { replies: true } }), '--url', url]);
  server.closeAllConnections();
  server.close();
  expect(heard).toEqual(['GET /alive', ...Array.from({ length: 3 }, () => `POST /api/coupons/${COUPON}/issue`)]);
});

describe('an export instead of a table', () => {
  test('that is written while bench waits proves the same', async () => {
    await using server = await foreignServer(stores, COUPON, { total: 100 });
    const path = scenario({ verify: { redis: EXAMPLE.verify.redis, csv: 'issued-{couponId}.csv' } });
    const running = cli([...at(stores), 'bench', path, '--url', server.url, '--json']);
    await until(async () => (await server.issued()).length === 100);
    const file = join(folder, `issued-${COUPON}.csv`);
    writeFileSync(file, '\uFEFFmemberName,userId,requestedAt,turn\r\n');
    for (const row of await stores.sql('SELECT member_id, requested_at::text AS at, batch FROM member_coupon')) {
      appendFileSync(file, `"Kim, ""A""",${String(row['member_id'])},${String(row['at'])},${String(row['batch'])}\r\n`);
    }
    const report = (await running).json<BenchReport>();
    expect(report.integrity.filter(({ status }) => status === 'fail' || status === 'not_checked')).toEqual([]);
    expect(report).toMatchObject({ coupons: [{ issued: 100 }], exitCode: 0 });
  });

  test('that never comes is a gap: 5', async () => {
    await using server = await foreignServer(stores, COUPON, { total: 100 });
    const path = scenario({ settle: { timeout: '300ms', quietFor: '50ms' }, verify: { csv: 'never.csv' } });
    const result = await cli([...at(stores), 'bench', path, '--url', server.url, '--json']);
    expect(result.json<BenchReport>().notes.map(({ code }) => code)).toEqual(expect.arrayContaining(['NOT_SETTLED', 'LEDGER_UNREADABLE']));
    expect(result.exitCode).toBe(5);
  });

  test('of an earlier run is refused', async () => {
    writeFileSync(join(folder, 'old.csv'), 'user_id\n7\n');
    const result = await cli(['bench', scenario({ verify: { csv: 'old.csv' } }), '--url', 'http://127.0.0.1:1']);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[COUPON_NOT_FRESH]') });
  });
});

describe('the first Ctrl+C stops the load; what was sent is verified', () => {
  // How much of it was put to the test depends on when the signal came.
  test.each<[ForeignVariant, number, RegExp]>([
    ['correct', 130, /pass|held|inconclusive/],
    ['double_issue', 4, /fail/],
  ])('%s: %i', async (variant, exitCode, integrity) => {
    await using server = await foreignServer(stores, COUPON, { variant, total: 100 });
    let interrupt: ((signal: StopSignal) => void) | null = null;
    const path = scenario({ users: { count: 200_000, prefix: '' }, thresholds: {} });
    const running = cli([...at(stores), 'bench', path, '--url', server.url, '--json'], { onListen: (send) => (interrupt = send) });
    await until(async () => (await server.issued()).length > 0);
    interrupt!('SIGINT');
    const report = (await running).json<BenchReport>();
    expect(report.exitCode).toBe(exitCode);
    expect(report.verdict.integrity).toMatch(integrity);
    expect(report.outcomes.unsent).toBeGreaterThan(0);
    expect(report.notes[0]?.code).toBe('INTERRUPTED');
  });
});
