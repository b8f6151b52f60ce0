import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import { OUTCOMES } from '../../../src/campaign/outcome.ts';
import type { OutcomeRule } from '../../../src/bench/scenario/scenario.ts';
import { UserDirectory } from '../../../src/bench/plan/user-plan.ts';
import { UserTable } from '../../../src/bench/plan/user-table.ts';
import { classifier } from '../../../src/bench/load/classify.ts';
import { latenciesOf } from '../../../src/bench/record/histogram.ts';
import { httpProbe } from '../../../src/bench/load/probe.ts';
import { LoadRecord } from '../../../src/bench/record/record.ts';
import { requestWriter } from '../../../src/bench/load/request-writer.ts';
import { deadPort } from './faulty-servers.ts';

const one = { length: 1, user: Uint32Array.of(0), coupon: Uint16Array.of(0), requestId: Uint32Array.of(0) };

function written(
  prefix: string,
  request: { method?: string; path?: string; headers?: Record<string, string>; json?: unknown } = {},
  target = 'http://h:1',
): string {
  const template = { method: 'POST', path: '/', headers: {}, json: undefined, timeoutMs: 1, ...request };
  const plan = { target, request: template, couponIds: ['c'], requests: one, users: new UserDirectory({ count: 1, prefix, start: 7 }) };
  return requestWriter(plan, 'run')(0).toString('utf8');
}

describe('the bytes of a request', () => {
  test('are plain HTTP/1.1', () => {
    expect(
      written('u', { path: '/c/{{couponId}}', headers: { 'Idempotency-Key': '{{requestId}}' }, json: { id: '{{userId}}', n: 1 } }),
    ).toBe(
      [
        'POST /c/c HTTP/1.1',
        'Host: h:1',
        'Connection: keep-alive',
        'Content-Type: application/json',
        'User-Agent: coupon-cli-bench',
        'Idempotency-Key: run-0',
        'Content-Length: 17',
        '',
        '{"id":"u7","n":1}',
      ].join('\r\n'),
    );
  });

  test('go below the path of the target', () => expect(written('u', { path: '/x' }, 'http://h:1/api')).toMatch(/^POST \/api\/x HTTP/));

  test('have no body when the template has none', () => expect(written('u', { method: 'GET' })).not.toMatch(/content-/i));

  test('carry any user id unharmed, in the path and in the body', () => {
    const ids = fc.stringMatching(/^[!-z|~]{1,60}$/);
    fc.assert(
      fc.property(ids, (prefix) => {
        const [head, body] = written(prefix, { path: '/u/{{userId}}', json: { a: ['{{userId}}'] } }).split('\r\n\r\n');
        expect(JSON.parse(body!)).toEqual({ a: [`${prefix}7`] });
        const path = /^POST \/u\/(\S*) HTTP\/1.1\r\n/.exec(head!)?.[1];
        expect(decodeURIComponent(path!)).toBe(`${prefix}7`);
        expect(path).not.toContain('/');
      }),
    );
  });
});

describe('values of a user, from a table', () => {
  const table = new UserTable(['id', 'token'], 'id');
  table.add(['ann', 'a/b "c" ü']);
  const users = new UserDirectory({ count: 1, prefix: '', start: 0, table });
  const bytes = (request: object): string => {
    const template = { method: 'POST', path: '/', headers: {}, json: undefined, timeoutMs: 1, ...request };
    return requestWriter({ target: 'http://h:1', request: template, couponIds: ['c'], requests: one, users }, 'run')(0).toString('utf8');
  };

  test.each([
    [{ path: '/{{token}}/{{userId}}' }, 'POST /a%2Fb%20%22c%22%20%C3%BC/ann HTTP/1.1'],
    [{ headers: { 'X-Token': '{{ token }}' } }, 'X-Token: a/b "c" ü\r\n'],
    [{ json: { t: '{{token}}' } }, '\r\n\r\n{"t":"a/b \\"c\\" ü"}'],
    [{ body: '<t>{{token}}</t>' }, '\r\n\r\n<t>a/b "c" ü</t>'],
    [{ body: 't={{token}}', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, '\r\n\r\nt=a%2Fb%20%22c%22%20%C3%BC'],
  ])('%j', (request, expected) => expect(bytes(request)).toContain(expected));
});

describe('the outcome of a reply', () => {
  const rules: OutcomeRule[] = [
    { outcome: 'sold_out', status: 200, json: { path: 'code', equals: 'GONE' } },
    { outcome: 'accepted', status: 200, json: null },
    { outcome: 'unknown', status: 504, json: null },
    { outcome: 'duplicate', status: 200, json: { path: 'result.0.again', equals: true } },
  ];
  test.each([
    [200, '{"code":"GONE"}', 'sold_out'],
    [200, '{"code":"OK"}', 'accepted'],
    [200, '{"result":[{"again":true}]}', 'duplicate'],
    [200, '{"result":[{"again":"true"}]}', 'accepted'],
    [200, 'not JSON', 'accepted'],
    [200, 'null', 'accepted'],
    [504, '', 'unknown'],
    [500, '', 'unexpected'],
    [999, '', 'unexpected'],
  ])('%d %s: %s', (status, body, outcome) => expect(OUTCOMES[classifier(rules)(status, body)]).toBe(outcome));
});

describe('the outcome of a reply in words', () => {
  const rules: OutcomeRule[] = [
    { outcome: 'sold_out', status: 200, json: null, text: '"message":"(매진|sold.?out)' },
    { outcome: 'duplicate', status: 200, json: null, text: 'already' },
    { outcome: 'accepted', status: 200, json: { path: 'ok', equals: true } },
  ];
  test.each([
    [200, '{"message":"매진되었습니다"}', 'sold_out'],
    [200, '{"message":"SOLD OUT"}', 'sold_out'],
    [200, '{"message":"you have one Already"}', 'duplicate'],
    [200, '{"ok":true}', 'accepted'],
    [200, '{"ok":false}', 'unexpected'],
    [409, 'already', 'unexpected'],
  ])('%d %s: %s', (status, body, outcome) => expect(OUTCOMES[classifier(rules)(status, body)]).toBe(outcome));
});

describe('the record', () => {
  test('counts every request exactly once, and keeps what was never sent apart', () => {
    const record = new LoadRecord({ length: 4, user: new Uint32Array(4), coupon: new Uint16Array(4), requestId: new Uint32Array(4) });
    for (const row of [0, 1, 2]) record.sent(row, 10, 20);
    record.replied(0, outcomeCode('accepted'), 202, 50);
    record.lost(1);
    expect(record.counts(false)).toMatchObject({ accepted: 1, unknown: 1, unsent: 0 });
    expect(record.counts(true)).toMatchObject({ accepted: 1, unknown: 1, unsent: 2 });
    expect([...record.doneUs]).toEqual([50, Number.NaN, Number.NaN, Number.NaN]);
  });

  test('latencies are microseconds apart by outcome; lost requests have none', () => {
    const record = new LoadRecord({
      length: 300,
      user: new Uint32Array(300),
      coupon: new Uint16Array(300),
      requestId: new Uint32Array(300),
    });
    for (let row = 0; row < 300; row += 1) {
      record.sent(row, 0, 1_000);
      if (row < 100) record.replied(row, outcomeCode('accepted'), 202, 1_000 + 50_000);
      else if (row < 200) record.replied(row, outcomeCode('sold_out'), 410, 1_000 + 250);
      else record.lost(row);
    }
    const latencies = latenciesOf(record);
    expect(latencies.summary('accepted')?.p50).toBeCloseTo(50, 1);
    expect(latencies.summary('sold_out')?.max).toBeCloseTo(0.25, 2);
    expect(latencies.summary('unknown')).toBeNull();
    expect(latencies.value(null, { kind: 'percentile', percentile: 50 })).toBeCloseTo(0.25, 2);
    expect(latencies.value('accepted', { kind: 'avg' })).toBeCloseTo(50, 1);
    expect(latencies.value('accepted', { kind: 'min' })).toBeCloseTo(50, 0);
    expect(latencies.value('duplicate', { kind: 'max' })).toBeNull();
  });
});

describe('the probe', () => {
  test('takes any answer for a sign of life, and sees a service that closes connections', async () => {
    const server = createServer((_request, reply) => reply.writeHead(404, { connection: 'close' }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await httpProbe.probe(`http://127.0.0.1:${port}`)).toMatchObject({ status: 404, closesConnections: true });
    await new Promise((resolve) => server.close(resolve));
  });

  test('says what is wrong when nobody is there', async () => {
    await expect(httpProbe.probe(`http://127.0.0.1:${await deadPort()}`)).rejects.toMatchObject({
      code: 'BENCH_TARGET_DOWN',
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
