import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HTTP_STATUS, outcomeOfReply } from '../../../src/campaign/http-status.ts';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import { ADMISSION_OUTCOMES } from '../../../src/campaign/outcome.ts';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';
import { problem } from '../../../src/http/problem.ts';
import { classifier } from '../../../src/bench/load/classify.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { issueWaiting } from '../../support/issue.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
let endpoint: TestEndpoint;

beforeAll(async () => {
  stores = await openStores();
  endpoint = await openEndpoint(stores);
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

test('alive and ready', async () => {
  expect(await endpoint.get('/livez')).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await endpoint.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
});

test('metrics count admissions by outcome and show the queue, without users and without made-up coupons', async () => {
  await stores.seed({ id: '42', total: 3 });
  for (const user of ['a', 'b', 'c', 'd', 'a']) await endpoint.ask('42', `secret-${user}`);
  await endpoint.ask('made-up', 'secret-a');
  await issueWaiting(stores, '42', 1);
  // A new endpoint has not read the list of coupons before there was one; the counters are those of the old one.
  await using fresh = await openEndpoint(stores);
  const { text } = await fresh.get('/metrics');
  const counted = (await endpoint.get('/metrics')).text;
  for (const line of [
    'coupon_admissions_total{coupon="42",result="accepted"} 3',
    'coupon_admissions_total{coupon="42",result="duplicate"} 1',
    'coupon_admissions_total{coupon="42",result="sold_out"} 1',
    'coupon_admissions_total{coupon="",result="unknown_coupon"} 1',
  ]) {
    expect(counted).toContain(line);
  }
  for (const line of [
    'coupon_queue_depth{coupon="42",state="waiting"} 2',
    'coupon_queue_depth{coupon="42",state="claimed"} 0',
    'coupon_queue_depth{coupon="42",state="dead"} 0',
    'coupon_stock_remaining{coupon="42"} 0',
    'coupon_issued_total{coupon="42"} 1',
    'coupon_store_up{store="redis"} 1',
    'coupon_store_up{store="ledger"} 1',
    'process_cpu_seconds_total',
  ]) {
    expect(text).toContain(line);
  }
  await endpoint.ask('42', 'secret-a');
  const later = (await endpoint.get('/metrics')).text;
  expect(later).toContain('coupon_admissions_total{coupon="42",result="duplicate"} 2');
  expect(later).toContain('coupon_admissions_total{coupon="42",result="accepted"} 3');
  expect(text).toMatch(/^coupon_queue_oldest_age_seconds\{coupon="42"\} \d/m);
  expect(counted + text).not.toMatch(/secret|made-up/);
});

test('the OpenAPI document describes every route and every answer', async () => {
  const { status, body } = await endpoint.get('/openapi.json');
  expect(status).toBe(200);
  const { openapi, paths } = body as { openapi: string; paths: Record<string, Record<string, { responses: Record<string, unknown> }>> };
  expect(openapi).toMatch(/^3\.1/);
  expect(
    Object.entries(paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
      .toSorted(),
  ).toEqual([
    'get /coupons/{couponId}',
    'get /coupons/{couponId}/requests/{userId}',
    'get /livez',
    'get /metrics',
    'get /readyz',
    'post /coupons/{couponId}/issued/{userId}/use',
    'post /coupons/{couponId}/requests',
  ]);
  const { responses } = paths['/coupons/{couponId}/requests']!['post']!;
  for (const outcome of ADMISSION_OUTCOMES) expect(responses).toHaveProperty(String(HTTP_STATUS[outcome]));
  expect(responses).toMatchObject({ 410: { content: { 'application/problem+json': expect.anything() } } });
});

test('a scenario that says nothing about outcomes reads our answers as they are meant', () => {
  const source = readFileSync(new URL('../../../scenarios/smoke.yaml', import.meta.url), 'utf8');
  const classify = classifier(parseScenario(source, 'smoke.yaml').outcomes);
  for (const outcome of ADMISSION_OUTCOMES) expect(classify(HTTP_STATUS[outcome], `{"code":"${outcome}"}`)).toBe(outcomeCode(outcome));
  expect(classify(503, JSON.stringify(problem('unknown', '')))).toBe(outcomeCode('unknown'));
  expect(classify(500, JSON.stringify(problem('internal_error', '')))).toBe(outcomeCode('unexpected'));
});

test('every outcome is told by its status and its code', () => {
  for (const outcome of ADMISSION_OUTCOMES) expect(outcomeOfReply(HTTP_STATUS[outcome], outcome)).toBe(outcome);
  expect([outcomeOfReply(403, undefined), outcomeOfReply(404, undefined)]).toEqual(['not_open', 'unexpected']);
});
