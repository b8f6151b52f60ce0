import { expect, test } from 'vitest';
import { endpointWithoutStores, warmUp } from '../../../src/admission/serve/warm-up.ts';
import { until } from '../../support/until.ts';

const NEVER = new AbortController().signal;

test('requests are answered until the time is over, and nothing is left open', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
  const before = sockets();
  expect(await warmUp(50, NEVER)).toBeGreaterThan(0);
  await until(() => sockets() === before);
});

test('it ends when it is told to stop', async () => {
  const stop = new AbortController();
  const warming = warmUp(3_600_000, stop.signal);
  stop.abort();
  expect(await warming).toBeLessThan(Number.POSITIVE_INFINITY);
});

test('nobody else is told that he is accepted', async () => {
  const app = await endpointWithoutStores('own');
  const ask = async (couponId: string): Promise<number> =>
    (await app.inject({ method: 'POST', url: `/coupons/${couponId}/requests`, payload: { userId: 'kim' } })).statusCode;
  expect([await ask('own'), await ask('summer')]).toEqual([202, 503]);
  await app.close();
});
