import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { DrainPorts } from '../../src/drain/ports.ts';
import { drainHeartbeat } from '../../src/drain/heartbeat.ts';
import { buildHealthServer } from '../../src/http/health-server.ts';

test('a drain that hangs is told as not alive, with how long it has been quiet, and as alive when it moves again', async () => {
  let now = 0;
  const pulse = drainHeartbeat({ intervalMs: 1_000, leaseMs: 3_000 }, () => now);
  pulse.tracked({ claims: {}, coupons: {}, ledger: {} } as unknown as DrainPorts);
  const app = await buildHealthServer(
    {
      live: pulse.liveness,
      ready: async () => ({ redis: 'up', ledger: 'up' }),
      metrics: { registry: new Registry() },
    },
    (error) => {
      throw error;
    },
  );
  const live = async () => {
    const reply = await app.inject('/livez');
    return { status: reply.statusCode, body: reply.json<Record<string, unknown>>() };
  };
  expect(await live()).toMatchObject({ status: 200, body: { status: 'alive' } });
  now = 12_000;
  expect(await live()).toMatchObject({ status: 503, body: { code: 'unavailable', quietSeconds: 12, limitSeconds: 11 } });
  pulse.beat();
  expect(await live()).toMatchObject({ status: 200 });
  await app.close();
});
