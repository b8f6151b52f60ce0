import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { cli } from '../../../support/run-cli.ts';

const TOTAL = 40;
type Fault = 'sound' | 'oversells' | 'same_order_twice' | 'loses' | 'unasked' | 'no_limit' | 'drops_replies';

interface Ticket {
  order: string;
  userId: string;
}

interface Shop extends AsyncDisposable {
  url: string;
  csv: (columns: readonly (keyof Ticket)[]) => string;
}

/**
 * A shop that sells by order.
 *
 * @param limit orders of one user
 * @param idempotent answers a user who has an order with that order, instead of a refusal
 */
async function orderShop(fault: Fault, { limit = Infinity, idempotent = false } = {}): Promise<Shop> {
  const sold: Ticket[] = [];
  const lost = new Set<string>();
  let nth = 0;
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/readyz') return void reply.writeHead(204).end();
      const { userId } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { userId: string };
      const say = (status: number, body: object): void => void reply.writeHead(status).end(JSON.stringify(body));
      const own = sold.filter((one) => one.userId === userId);
      if (idempotent && own[0]) return say(201, { order: { id: own[0].order } });
      if (own.length >= limit && fault !== 'no_limit') return say(409, {});
      if (sold.length >= (fault === 'oversells' ? TOTAL + 3 : TOTAL)) return say(410, {});
      const order = `o-${sold.length + 1}`;
      sold.push({ order, userId });
      if (fault === 'loses' && sold.length % 10 === 0) lost.add(order);
      nth += 1;
      if (fault === 'unasked' && nth === 20) sold.push({ order: 'o-gift', userId: 'friend' });
      if (fault === 'drops_replies' && nth % 10 === 5) return void request.socket.destroy();
      say(201, { order: { id: fault === 'same_order_twice' && nth % 10 === 0 ? 'o-1' : order } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    csv(columns) {
      const path = join(folder, 'issued.csv');
      const names = { order: 'issue_id', userId: 'user_id' };
      // Written once more whenever bench looks at it, as a job would.
      const write = (): void => {
        const rows = sold.filter(({ order }) => !lost.has(order)).map((row) => columns.map((column) => row[column]).join(','));
        writeFileSync(path, [columns.map((column) => names[column]).join(','), ...rows, ''].join('\n'));
      };
      write();
      const timer = setInterval(write, 20);
      server.on('close', () => clearInterval(timer));
      return path;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Changes {
  users?: object;
  request?: object;
  skip?: string[];
}

async function benchOn(shop: Shop, columns: readonly (keyof Ticket)[], changes: Changes = {}, flags: string[] = []) {
  return cli(['bench', scenarioOf(shop, columns, changes), '--url', shop.url, '--json', ...flags]);
}

function scenarioOf(shop: Shop, columns: readonly (keyof Ticket)[], { users = {}, request = {}, skip = [] }: Changes = {}): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'orders.yaml');
  const scenario = {
    version: 1,
    name: 'orders',
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 60, duplicateRate: 1, ...users },
    request: { path: '/orders', json: { userId: '{{userId}}' }, ...request },
    outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
    phases: [{ vus: 4, maxDuration: '20s' }],
    settle: { timeout: '2s', quietFor: '100ms' },
    verify: { csv: shop.csv(columns), skip: ['stock_adds_up', 'first_come_first_served', ...skip] },
  };
  writeFileSync(path, JSON.stringify(scenario));
  return path;
}

const failed = ({ integrity }: BenchReport): string[] =>
  integrity.filter(({ status }) => status === 'fail').map(({ check, reason }) => `${check} ${reason}`);

const BY_ORDER = { users: { perUser: 'any' }, request: { issueId: { json: 'order.id' } } };

describe('a service without users, whose replies name the order', () => {
  test('is proven when it is sound', async () => {
    await using shop = await orderShop('sound');
    const result = await benchOn(shop, ['order'], BY_ORDER);
    expect(result.json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0, outcomes: { accepted: TOTAL } });
  });

  test('lost replies accuse it of nothing: so many orders may be theirs', async () => {
    await using shop = await orderShop('drops_replies');
    const { outcomes, ...report } = (await benchOn(shop, ['order'], BY_ORDER)).json<BenchReport>();
    expect(outcomes.unknown).toBeGreaterThan(0);
    expect(failed({ ...report, outcomes })).toEqual([]);
  });

  test.each<[Fault, string]>([
    ['oversells', 'issued_within_total LEDGER_OVER_TOTAL'],
    ['same_order_twice', 'one_per_user ACCEPTED_TWICE'],
    ['unasked', 'issued_were_accepted ISSUED_TO_STRANGER'],
  ])('is broken when it %s', async (fault, finding) => {
    await using shop = await orderShop(fault);
    const report = (await benchOn(shop, ['order'], BY_ORDER)).json<BenchReport>();
    expect(failed(report)).toContain(finding);
    expect(report.exitCode).toBe(4);
    expect(report.integrity.flatMap(({ sample }) => sample)).toContainEqual(expect.stringMatching(/^issue o-/));
  });

  test('is not proven when orders are missing', async () => {
    await using shop = await orderShop('loses');
    const report = (await benchOn(shop, ['order'], BY_ORDER)).json<BenchReport>();
    expect(report).toMatchObject({ exitCode: 5 });
    expect(report.integrity.find(({ check }) => check === 'accepted_are_issued')).toMatchObject({ reason: 'NOT_SETTLED', count: 4 });
  });

  test('its record comes to the same verdict again, and so does that of several processes', async () => {
    await using shop = await orderShop('same_order_twice');
    const out = mkdtempSync(join(tmpdir(), 'coupon-'));
    const report = (await benchOn(shop, ['order'], BY_ORDER, ['--out', out, '--processes', '2'])).json<BenchReport>();
    expect(failed(report)).toContain('one_per_user ACCEPTED_TWICE');
    const again = (await cli(['bench', 'verify', join(out, 'record.bin'), '--json'])).json<BenchReport>();
    expect(again.integrity).toEqual(report.integrity);
    const { stdout } = await cli(['bench', 'verify', join(out, 'record.bin')]);
    expect(stdout).toContain('no coupon issued twice: ');
  });

  test('so does what another tool recorded, with the order in a column or in the reply', async () => {
    await using shop = await orderShop('sound');
    const lines = ['user,sent,elapsed,status,order,body'];
    for (let nth = 0; nth < TOTAL + 5; nth += 1) {
      const began = Date.now();
      const reply = await fetch(`${shop.url}/orders`, { method: 'POST', body: JSON.stringify({ userId: 'one' }) });
      const body = (await reply.json()) as { order?: { id: string } };
      lines.push(
        `one,${began},${Date.now() - began + 1},${reply.status},${body.order?.id ?? ''},"${JSON.stringify(body).replaceAll('"', '""')}"`,
      );
    }
    const scenario = scenarioOf(shop, ['order'], { ...BY_ORDER, skip: ['sold_out_when_gone'] });
    const results = join(scenario, '..', 'results.csv');
    writeFileSync(results, lines.join('\n'));
    const verify = (...flags: string[]) => cli(['bench', 'verify', '--import', results, '--scenario', scenario, '--json', ...flags]);
    expect((await verify('--map', 'issue=order')).json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' } });
    expect((await verify()).json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' } });
    const unnamed = await verify('--map', 'body=none');
    expect(unnamed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--map issue=COLUMN') });
  });

  test('an accepted reply that names no order is unexpected, and shown', async () => {
    await using shop = await orderShop('sound');
    const report = (await benchOn(shop, ['order'], { ...BY_ORDER, request: { issueId: { json: 'orderId' } } })).json<BenchReport>();
    expect(report).toMatchObject({ exitCode: 5, outcomes: { accepted: 0, unknown: TOTAL }, verdict: { integrity: 'inconclusive' } });
    expect(report.unexplained![0]).toMatchObject({ status: 201 });
  });
});

describe('a service where a user may have several', () => {
  test('any number: counted by user', async () => {
    await using shop = await orderShop('sound');
    const report = (await benchOn(shop, ['userId'], { users: { perUser: 'any' } })).json<BenchReport>();
    expect(report).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0 });
  });

  test.each<[Fault, string]>([
    ['oversells', 'issued_within_total LEDGER_OVER_TOTAL'],
    ['unasked', 'issued_were_accepted ISSUED_TO_STRANGER'],
  ])('any number: %s is found', async (fault, finding) => {
    await using shop = await orderShop(fault);
    expect(failed((await benchOn(shop, ['userId'], { users: { perUser: 'any' } })).json<BenchReport>())).toContain(finding);
  });

  test('at most two, asked three times', async () => {
    const users = { count: 60, duplicateRate: 2, perUser: 2 };
    await using shop = await orderShop('sound', { limit: 2 });
    expect((await benchOn(shop, ['userId'], { users })).json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' } });
    await using named = await orderShop('sound', { limit: 2 });
    expect((await benchOn(named, ['order'], { ...BY_ORDER, users })).json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' } });
    await using greedy = await orderShop('no_limit', { limit: 2 });
    expect(failed((await benchOn(greedy, ['userId'], { users })).json<BenchReport>())).toContain('one_per_user OVER_LIMIT_PER_USER');
    await using unnamed = await orderShop('no_limit', { limit: 2 });
    expect(failed((await benchOn(unnamed, ['order'], { ...BY_ORDER, users })).json<BenchReport>())).toContain(
      'one_per_user OVER_LIMIT_PER_USER',
    );
  });

  test('at most three, asked twice: the limit is not put to the test', async () => {
    await using shop = await orderShop('sound', { limit: 3 });
    const report = (await benchOn(shop, ['userId'], { users: { perUser: 3 } })).json<BenchReport>();
    expect(report).toMatchObject({ verdict: { integrity: 'held' }, exitCode: 0 });
  });
});

test('a service that answers a repeat with the same order accepted once', async () => {
  await using shop = await orderShop('sound', { idempotent: true });
  const request = { issueId: { json: 'order.id' } };
  expect((await benchOn(shop, ['userId'], { request })).json<BenchReport>()).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0 });
  await using unnamed = await orderShop('sound', { idempotent: true });
  expect(failed((await benchOn(unnamed, ['userId'])).json<BenchReport>())).toContain('one_per_user ACCEPTED_TWICE');
  await using greedy = await orderShop('sound');
  expect(failed((await benchOn(greedy, ['userId'], { request })).json<BenchReport>())).toContain('one_per_user ISSUED_TWICE_IN_LEDGER');
});

test('a list without the column that is needed is refused before the load', async () => {
  await using shop = await orderShop('sound');
  const { exitCode, stderr } = await benchOn(shop, ['userId'], BY_ORDER);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('issue_id');
});

test('names of coupons and several for each user are for other services', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'own.yaml');
  const scenario = {
    version: 1,
    name: 'own',
    coupons: [{ id: 'c1', total: 10 }],
    users: { count: 20, perUser: 2 },
    request: { issueId: { json: 'id' } },
    phases: [{ vus: 4 }],
  };
  writeFileSync(path, JSON.stringify(scenario));
  const { exitCode, stderr } = await cli(['bench', 'check', path]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/perUser[\s\S]*for other services/);
  writeFileSync(path, JSON.stringify({ ...scenario, verify: { redis: { keys: { issuedUsers: 'buyers:{couponId}' } } } }));
  expect((await cli(['bench', 'check', path])).stderr).toMatch(/issuedUsers[\s\S]*names each user once/);
});
