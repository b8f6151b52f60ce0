import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEndpoint } from '../../support/endpoint.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

test('past the limit of requests without an answer, every route says 503 at once, and health still answers', async () => {
  await stores.seed({ id: '42', total: 10 });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const admission: TestStores['admission'] = {
    admit: async (couponId, requests) => {
      await held;
      return stores.admission.admit(couponId, requests);
    },
  };
  await using endpoint = await openEndpoint(stores, { admission }, { limits: { maxPending: 2 } });
  const pending = async () => /^coupon_requests_pending (\d+)$/m.exec((await endpoint.get('/metrics')).text)![1];
  const first = [endpoint.ask('42', 'kim'), endpoint.ask('42', 'lee')];
  await until(async () => (await pending()) === '2');

  const refused = [await endpoint.ask('42', 'park'), await endpoint.get('/coupons/42'), await endpoint.get('/coupons/42/requests/kim')];
  for (const reply of refused) {
    expect(reply.status).toBe(503);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(reply.body).toMatchObject({ code: 'unavailable' });
  }
  expect(endpoint.faults).toContainEqual(expect.objectContaining({ code: 'OVERLOADED', kind: 'unreachable' }));
  expect((await endpoint.get('/livez')).status).toBe(200);

  release();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([202, 202]);
  expect(await pending()).toBe('0');
  // It was not sent: asking again is a first request.
  expect((await endpoint.ask('42', 'park')).status).toBe(202);
});

test('a coupon that is sold out is refused without Redis, and metrics count it as an admission too', async () => {
  await stores.clear();
  await stores.seed({ id: '42', total: 1 });
  let sent = 0;
  const admission: TestStores['admission'] = {
    admit: (couponId, requests) => {
      sent += requests.length;
      return stores.admission.admit(couponId, requests);
    },
  };
  await using endpoint = await openEndpoint(stores, { admission });
  expect((await endpoint.ask('42', 'kim')).status).toBe(202);
  const fromMemory = async () =>
    Number(/^coupon_refusals_from_memory_total\{coupon="42"\} (\d+)$/m.exec((await endpoint.get('/metrics')).text)?.[1] ?? 0);
  let asked = 0;
  await until(async () => {
    expect((await endpoint.ask('42', `late-${(asked += 1)}`)).status).toBe(410);
    return (await fromMemory()) >= 5;
  });
  expect(sent).toBe(1 + asked - (await fromMemory()));
  expect((await endpoint.get('/metrics')).text).toContain(`coupon_admissions_total{coupon="42",result="sold_out"} ${asked}\n`);
  // Who was accepted hears so, whatever the memory says of others.
  expect((await endpoint.ask('42', 'kim')).status).toBe(409);
});
