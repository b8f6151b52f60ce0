import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { oddServer, type Answer } from '../../../support/odd-server.ts';
import { cli, type CliResult } from '../../../support/run-cli.ts';
import { AUTHORITY, tlsServer } from '../../../support/tls-server.ts';

const TOTAL = 50;

/** A scenario that knows the answers of the service and looks at an export without rows. */
function scenario(changes: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(folder, 'none.csv'), 'user_id,requested_at\n');
  const path = join(folder, 'odd.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      name: 'odd',
      coupons: [{ id: 'c1', total: TOTAL }],
      users: { count: 200, duplicateRate: 0.2 },
      request: { path: '/orders', json: { userId: '{{userId}}' }, timeout: '2s' },
      outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 }, unavailable: { status: [429, 503] } },
      phases: [{ vus: 10, maxDuration: '20s' }],
      settle: { timeout: '5s', quietFor: '50ms' },
      verify: { csv: 'none.csv', skip: ['stock_adds_up'] },
      ...changes,
    }),
  );
  return path;
}

async function benched(answer: Answer, changes: object = {}, flags: string[] = ['--json']): Promise<CliResult> {
  await using server = await oddServer(answer);
  return await cli(['bench', scenario(changes), '--url', server.url, ...flags]);
}

/** The report of a run; a command that failed instead says why. */
const reportOf = ({ stdout, stderr, json }: CliResult): BenchReport => {
  if (stdout === '') throw new Error(stderr);
  return json<BenchReport>();
};

const codes = (report: BenchReport): string[] => (report.verdict.reasons ?? []).map(({ code }) => code);

describe('a service that never worked is not called right', () => {
  test.each<[string, Answer]>([
    ['404', (reply) => reply.writeHead(404, { 'content-type': 'application/json' }).end('{}')],
    ['500', (reply) => reply.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>')],
    ['307', (reply) => reply.writeHead(307, { location: 'https://shop.example/login' }).end()],
    ['400', (reply) => reply.writeHead(400).end('no tenant')],
    ['401', (reply) => reply.writeHead(401).end()],
    ['429', (reply) => reply.writeHead(429, { 'retry-after': '60' }).end('slow down')],
    ['503', (reply) => reply.writeHead(503).end()],
    ['200 with an error in it', (reply) => reply.writeHead(200).end('{"errors":[{"message":"expired"}]}')],
  ])('%s to everything: 5, nothing was proven', async (status, answer) => {
    const report = reportOf(await benched(answer));
    expect(report).toMatchObject({ exitCode: 5, outcomes: { accepted: 0 }, verdict: { integrity: 'inconclusive' } });
    expect(codes(report)[0]).toBe('NOTHING_ACCEPTED');
    expect(report.unexplained).toMatchObject([{ status: Number(status.slice(0, 3)), count: 240 }]);
  });

  test('the most frequent reply stands in every report', async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'out');
    const answer: Answer = (reply, _body, nth) =>
      nth % 10 === 0 ? reply.writeHead(502).end() : reply.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\u0007');
    const { stdout, exitCode } = await benched(answer, {}, ['--out', out]);
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(
      /nothing was proven: nobody was accepted, although c1 had 50 in stock and 200 users asked; .*216 × 404 text\/plain "no such page\\x07"/,
    );
    expect(stdout).not.toMatch(/integrity proven/);
    for (const file of ['report.html', 'junit.xml', 'summary.md']) {
      const text = readFileSync(join(out, file), 'utf8');
      expect(text, file).toMatch(/nothing was proven/i);
      expect(text, file).toContain('216 × 404');
      expect(text, file).not.toMatch(/✅ proven|Proven:/);
    }
    expect(readFileSync(join(out, 'junit.xml'), 'utf8')).toContain('<error type="NOTHING_ACCEPTED"');
    // The record says the same again.
    expect((await cli(['bench', 'verify', out])).stdout).toContain('216 × 404');
  });

  test('a plain 404 of the default rules is unexpected, and only our own words mean that the coupon is unknown', async () => {
    const rules = { outcomes: undefined, request: { path: '/coupon/{{couponId}}/requests' } };
    const plain = reportOf(await benched((reply) => reply.writeHead(404).end('{}'), rules));
    expect(plain.outcomes).toMatchObject({ unexpected: 240, unknown_coupon: 0 });
    const ours = await benched((reply) => reply.writeHead(404).end('{"code":"unknown_coupon"}'), rules);
    expect(reportOf(ours)).toMatchObject({ outcomes: { unexpected: 0, unknown_coupon: 240 }, exitCode: 5 });
  });
});

describe('a service that worked for a while', () => {
  /** Accepts so many users, and writes no list: what is asked here is the verdict. */
  const sells =
    (accepts: number, rest: number): Answer =>
    (reply, _body, nth) =>
      reply.writeHead(nth <= accepts ? 201 : rest).end('{}');
  const alone = {
    users: { count: 200 },
    verify: {
      replies: true,
      skip: [
        'issued_within_total',
        'one_per_user',
        'accepted_are_issued',
        'issued_were_accepted',
        'sold_out_when_gone',
        'first_come_first_served',
        'stock_adds_up',
      ],
    },
  };

  test('30 of 50 sold and the rest limited: the sale was not finished', async () => {
    const report = reportOf(await benched(sells(30, 429), alone));
    expect(report).toMatchObject({ exitCode: 5, outcomes: { accepted: 30, unavailable: 170 } });
    expect(codes(report)[0]).toBe('SALE_UNFINISHED');
  });

  test('everything sold, and all others limited: most were never decided', async () => {
    expect(codes(reportOf(await benched(sells(50, 429), alone)))).toEqual(['MOSTLY_UNDECIDED']);
  });

  test('everything sold, and all others told so: proven', async () => {
    expect(reportOf(await benched(sells(50, 410), alone))).toMatchObject({ exitCode: 0, verdict: { integrity: 'pass' } });
  });

  test('one error that no threshold speaks of: 5; with one that allows it: 0', async () => {
    const answer: Answer = (reply, _body, nth) => reply.writeHead(nth === 7 ? 500 : nth <= 51 ? 201 : 410).end('{}');
    expect(codes(reportOf(await benched(answer, alone)))).toEqual(['UNEXPLAINED_REPLIES']);
    const allowed = await benched(answer, { ...alone, thresholds: { outcome_unexpected: ['count<=1'] } });
    expect(reportOf(allowed)).toMatchObject({ exitCode: 0, verdict: { integrity: 'pass' } });
  });

  test.each([
    ['before the load gives it up', '1s'],
    ['until the load gives it up', '30s'],
  ])('a service that dies, %s: 3, and nowhere is anything called proven', async (_, maxDuration) => {
    const out = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'out');
    const server = await oddServer((reply, _body, nth) => {
      if (nth === 40) server.die();
      else reply.writeHead(201).end('{}');
    });
    const path = scenario({ ...alone, phases: [{ vus: 4, maxDuration }] });
    const { stdout, exitCode } = await cli(['bench', path, '--url', server.url, '--out', out]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('the service was lost during the run');
    expect(stdout).not.toMatch(/proven/i);
    for (const file of ['junit.xml', 'summary.md']) expect(readFileSync(join(out, file), 'utf8'), file).not.toMatch(/proven/i);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).not.toMatch(/Proven:|proven/);
  });
});

describe('an https endpoint', () => {
  let heard = 0;
  const sells = (name: 'good' | 'other') =>
    tlsServer((request, reply) => {
      if (request.method === 'POST') heard += 1;
      request.resume().on('end', () => reply.writeHead(201).end());
    }, name);

  test.each(['good', 'other'] as const)(
    'with the certificate %s that no known authority signed is refused, and gets no request',
    async (name) => {
      heard = 0;
      await using server = await sells(name);
      const { exitCode, stderr } = await cli(['bench', scenario(), '--url', server.url]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/certificate of .* is not trusted .*\[CERTIFICATE_NOT_TRUSTED\]/);
      expect(heard).toBe(0);
    },
  );

  test('is asked when the scenario names its authority, or any certificate is taken', async () => {
    await using server = await sells('good');
    const ca = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'ca.pem');
    writeFileSync(ca, AUTHORITY);
    for (const [changes, flags] of [
      [{ tls: { ca } }, []],
      [{}, ['--insecure']],
    ] as const) {
      heard = 0;
      await cli(['bench', scenario(changes), '--url', server.url, '--json', ...flags]);
      expect(heard).toBe(240);
    }
  });
});
