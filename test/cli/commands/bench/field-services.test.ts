import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { TargetWatch } from '../../../../src/bench/load/target-watch.ts';
import { oddServer, type Answer } from '../../../support/odd-server.ts';
import { BIN, cleanEnvironment } from '../../../support/processes.ts';
import { at, cli, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { tlsServer } from '../../../support/tls-server.ts';

/** Habits of services and machines, as public reports tell of them. */
const TOTAL = 30;
const SOLD_OUT = '쿠폰이 모두 소진되었습니다.';
const HAVE_ONE = '이미 발급된 쿠폰입니다.';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

/** A scenario beside an export of everybody whom {@link sale} accepts. */
function scenario(folder: string, changes: object): string {
  const path = join(folder, 'field.yaml');
  const plan = {
    version: 1,
    name: 'field',
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 90, duplicateRate: 0.4 },
    request: { path: '/buy', json: { userId: '{{userId}}' } },
    phases: [{ vus: 10, maxDuration: '20s' }],
    settle: { timeout: '3s', quietFor: '100ms' },
    verify: { csv: 'issued.csv', skip: ['first_come_first_served', 'stock_adds_up'] },
    ...changes,
  };
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

type Decision = 'accepted' | 'duplicate' | 'sold_out';

/** Sells to the first who ask, and writes them down. */
function sale(folder: string): (userId: string) => Decision {
  const admitted = new Set<string>();
  const save = (): void => writeFileSync(join(folder, 'issued.csv'), ['user_id', ...admitted, ''].join('\n'));
  save();
  return (userId) => {
    if (admitted.has(userId)) return 'duplicate';
    if (admitted.size >= TOTAL) return 'sold_out';
    admitted.add(userId);
    save();
    return 'accepted';
  };
}

async function benched(answer: (...args: [Decision, ...Parameters<Answer>]) => void, changes: object): Promise<CliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const decide = sale(folder);
  await using server = await oddServer((reply, body, nth, request) => answer(decide(body.userId), reply, body, nth, request));
  return await cli([...at(stores), 'bench', scenario(folder, changes), '--url', server.url, '--json']);
}

function reportOf(result: CliResult): BenchReport {
  if (result.stdout === '') throw new Error(result.stderr);
  return result.json<BenchReport>();
}

describe('an answer in Hangul', () => {
  const outcomes = {
    accepted: { status: 200, json: { path: 'ok', equals: true } },
    sold_out: { status: 200, json: { path: 'message', equals: SOLD_OUT } },
    duplicate: { status: 200, json: { path: 'message', equals: HAVE_ONE } },
  };
  const bodyOf = (decision: Decision): Buffer =>
    Buffer.from(JSON.stringify(decision === 'accepted' ? { ok: true } : { message: decision === 'sold_out' ? SOLD_OUT : HAVE_ONE }));

  test('means the same wherever a chunk ends in the middle of a syllable', async () => {
    const result = await benched(
      (decision, reply, _body, nth) => {
        const body = bodyOf(decision);
        const cut = 1 + (nth % (body.length - 1));
        reply.writeHead(200, { 'content-type': 'application/json' });
        reply.write(body.subarray(0, cut), () => setTimeout(() => reply.end(body.subarray(cut)), 2));
      },
      { outcomes },
    );
    expect(reportOf(result)).toMatchObject({ outcomes: { unexpected: 0, accepted: TOTAL }, exitCode: 0 });
  });

  test('means the same behind a byte order mark', async () => {
    const result = await benched((decision, reply) => reply.end(Buffer.concat([Buffer.from('efbbbf', 'hex'), bodyOf(decision)])), {
      outcomes,
    });
    expect(reportOf(result)).toMatchObject({ outcomes: { unexpected: 0, accepted: TOTAL }, exitCode: 0 });
  });

  test('may be plain text, told apart by its words', async () => {
    const result = await benched(
      (decision, reply) =>
        decision === 'accepted'
          ? reply.end('쿠폰 번호: 17')
          : reply
              .writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
              .end(decision === 'sold_out' ? SOLD_OUT : `${HAVE_ONE} Id: 17`),
      { outcomes: { accepted: { status: 200 }, sold_out: { status: 400, text: '소진' }, duplicate: { status: 400, text: '이미 발급' } } },
    );
    expect(reportOf(result)).toMatchObject({ outcomes: { unexpected: 0, accepted: TOTAL }, exitCode: 0 });
  });
});

describe('one refusal for all reasons', () => {
  const answer = (decision: Decision, ...[reply]: Parameters<Answer>): void =>
    void reply.end(JSON.stringify({ success: decision === 'accepted' }));
  const accepted = { status: 200, json: { path: 'success', equals: true } };
  const no = { status: 200, json: { path: 'success', equals: false } };

  test('accuses nobody as `refused`', async () => {
    const report = reportOf(await benched(answer, { outcomes: { accepted, refused: no } }));
    expect(report.integrity.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(report.outcomes).toMatchObject({ accepted: TOTAL, sold_out: 0, duplicate: 0 });
  });

  test('still shows who has a coupon although he was refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
    const decide = sale(folder);
    await using server = await oddServer((reply, { userId }, nth) => {
      const decision = decide(userId);
      reply.end(JSON.stringify({ success: decision === 'accepted' && nth !== 5 }));
    });
    const path = scenario(folder, { users: { count: 90 }, outcomes: { accepted, refused: no } });
    const report = reportOf(await cli([...at(stores), 'bench', path, '--url', server.url, '--json']));
    expect(report.integrity.find(({ check }) => check === 'issued_were_accepted')).toMatchObject({ status: 'fail', count: 1 });
    expect(report.exitCode).toBe(4);
  });
});

describe('what a serializer wrote into the keys', () => {
  const keys = { coupon: 'coupon:{couponId}', queue: null, issued: null };
  const refusal = async (verify: object): Promise<string> => {
    const { exitCode, stderr } = await benched((_decision, reply) => reply.end('{}'), { verify });
    expect(exitCode).toBe(2);
    return (JSON.parse(stderr) as { error: { message: string } }).error.message;
  };

  test.each(['["java.lang.Long",100]', '1L', 'null'])('a stock of %s is refused with its text before anything is sent', async (text) => {
    await stores.redis.hset('coupon:c1', { stock: text, total: '30' });
    expect(await refusal({ redis: { keys } })).toContain(`the field "stock" of "coupon:c1" holds "${text}"`);
  });

  test('a queue that is a list is refused with both types', async () => {
    await stores.redis.hset('coupon:c1', { stock: '30', total: '30' });
    await stores.redis.rpush('q', 'u1');
    expect(await refusal({ redis: { keys: { ...keys, queue: 'q' } } })).toMatch(/is a list, expected a sorted set/);
  });

  test('a set of applicants that never shrinks is told from a queue', async () => {
    await stores.redis.hset('coupon:c1', { stock: String(TOTAL), total: String(TOTAL) });
    const result = await benched(
      (decision, reply, { userId }) => {
        void (async () => {
          await stores.redis.zadd('applicants', 'NX', Date.now(), userId);
          if (decision === 'accepted') await stores.redis.hincrby('coupon:c1', 'stock', -1);
          reply.writeHead({ accepted: 201, duplicate: 409, sold_out: 410 }[decision]).end();
        })();
      },
      {
        outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
        verify: { redis: { keys: { ...keys, queue: 'applicants' } }, csv: 'issued.csv', skip: ['first_come_first_served'] },
      },
    );
    const report = reportOf(result);
    expect(report.notes.map(({ code }) => code)).toContain('QUEUE_NEVER_SHRINKS');
    expect(report.exitCode).not.toBe(4);
  });
});

describe('an export', () => {
  test.each([
    ['tabs', 'user_id\trequested_at\nkim\t2026-11-24T10:00:00Z\n'],
    ['semicolons', 'user_id;requested_at\nkim;2026-11-24T10:00:00Z\n'],
    ['semicolons', 'sep=;\nuser_id;requested_at\n'],
  ])('that is separated by %s is told as that', async (name, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
    writeFileSync(join(folder, 'issued.csv'), text);
    await using server = await oddServer((reply) => reply.end('{}'));
    const path = scenario(folder, { outcomes: { accepted: { status: 200 } } });
    const list = await cli(['bench', path, '--url', server.url]);
    expect(`${list.stdout}${list.stderr}`).toContain(`this looks separated by ${name}`);

    writeFileSync(join(folder, 'users.csv'), text);
    const { exitCode, stderr } = await cli(['bench', 'check', scenario(folder, { users: { file: 'users.csv', userId: 'user_id' } })]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`this looks separated by ${name}`) });
  });
});

describe('limits of this machine', () => {
  test.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS'])(
    '%s for a minute says nothing about the target, ECONNREFUSED does',
    (fault) => {
      const watch = new TargetWatch(10_000);
      for (let ms = 0; ms <= 60_000; ms += 1_000) expect(watch.failed(fault, ms)).toBe(false);
      watch.close(100);
      expect(watch.lost).toBe(false);
      expect([0, 10_000].map((ms) => watch.failed('ECONNREFUSED', ms))).toEqual([false, true]);
    },
  );

  test.runIf(process.platform === 'linux')('too few files are a note, and the service is not called lost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
    sale(folder);
    // Slow enough that every virtual user needs a connection of its own.
    await using server = await oddServer((reply) => setTimeout(() => reply.writeHead(410).end(), 300));
    const path = scenario(folder, {
      users: { count: 1_000 },
      outcomes: { sold_out: { status: 410 }, accepted: { status: 201 } },
      phases: [{ vus: 500, maxDuration: '3s' }],
    });
    const child = spawn(
      'sh',
      ['-c', `ulimit -n 256; exec "$@"`, 'sh', process.execPath, BIN, 'bench', path, '--url', server.url, '--json'],
      {
        env: cleanEnvironment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const exitCode = await new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    if (stdout === '') throw new Error(stderr);
    expect((JSON.parse(stdout) as BenchReport).notes.map(({ code }) => code)).toContain('GENERATOR_OUT_OF_CONNECTIONS');
    expect(exitCode).not.toBe(3);
  });
});

describe('a target that speaks something else', () => {
  const refused = async (url: string): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
    sale(folder);
    const { exitCode, stderr } = await cli(['bench', scenario(folder, { outcomes: { accepted: { status: 200 } } }), '--url', url]);
    expect(exitCode).toBe(3);
    return stderr;
  };

  test('HTTP/2 alone', async () => {
    const server = http2Server();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(await refused(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).toContain('does not speak HTTP/1.1');
    server.close();
  });

  test('no TLS, where TLS is asked for', async () => {
    await using server = await oddServer((reply) => reply.end());
    expect(await refused(server.url.replace('http:', 'https:'))).toContain('does not speak TLS');
  });

  test('TLS, where plain HTTP is asked for', async () => {
    await using server = await tlsServer((_request, reply) => reply.end());
    expect(await refused(server.url.replace('https:', 'http:'))).toMatch(/does not speak HTTP\/1\.1|nothing answers/);
  });
});
