import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchReport } from '../../../src/bench/report/report.ts';
import { cli } from '../../support/run-cli.ts';

/**
 * Faults that public services had, and that one sale of one coupon does not show: a lock whose value is the time in milliseconds, so that
 * a loser who came in the same millisecond deletes the lock of the winner.
 */
type Lock = 'own' | 'by-millisecond';

const COUPONS = 100;
const USERS = 60;

async function shop(lock: Lock) {
  const sold = new Map<string, string[]>();
  const locks = new Map<string, string>();
  let nth = 0;
  const pause = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  const buy = async (coupon: string, user: string): Promise<number> => {
    const value = lock === 'own' ? String((nth += 1)) : String(Date.now());
    try {
      if (locks.has(coupon)) return 423;
      locks.set(coupon, value);
      const buyers = sold.get(coupon) ?? [];
      if (buyers.includes(user)) return 409;
      if (buyers.length > 0) return 410;
      await pause();
      sold.set(coupon, [...(sold.get(coupon) ?? []), user]);
      return 201;
    } finally {
      if (locks.get(coupon) === value) locks.delete(coupon);
    }
  };
  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [, coupon = ''] = /^\/products\/(.*)$/.exec(request.url ?? '') ?? [];
      if (request.method === 'GET') reply.end();
      else void buy(coupon, (JSON.parse(body) as { user: string }).user).then((status) => reply.writeHead(status).end('{}'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    csv: (path: string) => {
      const rows = [...sold].flatMap(([id, buyers]) => buyers.map((buyer) => `${id},${buyer}`));
      // Whoever reads it meanwhile has the whole file of before.
      writeFileSync(`${path}.new`, ['coupon_id,user_id', ...rows].join('\n'));
      renameSync(`${path}.new`, path);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function rush(lock: Lock): Promise<BenchReport> {
  await using service = await shop(lock);
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const path = join(folder, 'race.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      name: 'race',
      coupons: { count: COUPONS, prefix: 'p-', total: 1 },
      users: { count: USERS, duplicateRate: 0.2, impatience: 1 },
      request: { path: '/products/{{couponId}}', json: { user: '{{userId}}' } },
      outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 }, busy: { status: 423 } },
      retry: { on: ['busy'], times: 100, delay: '1ms' },
      phases: [{ vus: USERS, maxDuration: '30s' }],
      settle: { timeout: '1m', quietFor: '50ms' },
      verify: { csv: 'sold.csv', skip: ['stock_adds_up', 'first_come_first_served', 'one_per_user', 'sold_out_when_gone'] },
    }),
  );
  const timer = setInterval(() => service.csv(join(folder, 'sold.csv')), 20);
  try {
    const result = await cli(['bench', path, '--url', service.url, '--json']);
    if (result.stdout === '') throw new Error(result.stderr);
    return result.json<BenchReport>();
  } finally {
    clearInterval(timer);
  }
}

test('a lock that its loser deletes oversells, which a hundred coupons one after the other show', async () => {
  const report = await rush('by-millisecond');
  expect(report.integrity.filter(({ check, status }) => check === 'issued_within_total' && status === 'fail').length).toBeGreaterThan(0);
  expect(report.exitCode).toBe(4);
});

test('a lock of its own holds: every coupon went to one user', async () => {
  const report = await rush('own');
  expect(report).toMatchObject({ outcomes: { accepted: COUPONS }, exitCode: 0, verdict: { integrity: 'pass' } });
});
