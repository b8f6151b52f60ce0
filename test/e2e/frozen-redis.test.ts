import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extraRedis } from '../support/extra-redis.ts';
import { start } from '../support/processes.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const CONNECTIONS = 2_000;
/** A second for the turn, five for the answer of Redis, two for asking again, and a machine that is busy. */
const DEADLINE_MS = 20_000;
const FROZEN_MS = 8_000;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

test('behind a Redis that is stopped, every request is answered in time, memory stays bounded, and all recovers by itself', async () => {
  await using redis = await extraRedis(['--appendonly', 'yes']);
  const where = at({ redisUrl: redis.url, databaseUrl: stores.databaseUrl });
  expect((await cli(['seed', 'flash', '--name', 'Flash', '--stock', '1000000', ...where])).exitCode).toBe(0);
  const serve = start(['serve', '--port', '0', '--json', '--max-in-flight', '500', '--max-pending', '1500', ...where]);
  await using stopped = { [Symbol.asyncDispose]: async () => void serve.child.kill('SIGKILL') };
  void stopped;
  await until(() => serve.stdout().includes('listening'));
  const { url } = JSON.parse(serve.stdout().split('\n')[0]!) as { url: string };
  const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serve.child.pid}/status`, 'utf8'))![1]) / 1_024;

  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const replies: { status: number; tookMs: number; retryAfter: string | undefined }[] = [];
  let users = 0;
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sentMs = performance.now();
      const body = JSON.stringify({ userId: `user-${(users += 1)}` });
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const sent = request(`${url}/coupons/flash/requests`, { method: 'POST', agent, headers }, (reply) => {
        reply.resume().once('end', () => {
          replies.push({ status: reply.statusCode!, tookMs: performance.now() - sentMs, retryAfter: reply.headers['retry-after'] });
          resolve();
        });
      });
      sent.once('error', reject).end(body);
    });
  const load = { over: false };
  const client = async (): Promise<void> => {
    while (!load.over) await ask();
  };

  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  const before = rssMb();
  redis.signal('SIGSTOP');
  replies.length = 0;
  const stoppedMs = performance.now();
  const clients = Array.from({ length: CONNECTIONS }, async (_, i) => {
    // Refused clients come again at once, as the worst ones do; not all in the same moment.
    await new Promise((resolve) => setTimeout(resolve, i / 10));
    await client();
  });
  await until(() => performance.now() - stoppedMs > FROZEN_MS);
  const whileStopped = { replies: [...replies], grewMb: rssMb() - before };
  redis.signal('SIGCONT');
  await until(() => replies.at(-1)?.status === 202);
  load.over = true;
  await Promise.all(clients);
  agent.destroy();

  const statuses = new Set(whileStopped.replies.map(({ status }) => status));
  expect(statuses).toEqual(new Set([503]));
  expect(whileStopped.replies.every(({ retryAfter }) => retryAfter === '1')).toBe(true);
  expect(Math.max(...replies.map(({ tookMs }) => tookMs))).toBeLessThan(DEADLINE_MS);
  expect(whileStopped.grewMb).toBeLessThan(150);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^coupon_requests_pending 0$/m);

  serve.child.kill('SIGTERM');
  expect((await serve.finished).exitCode).toBe(0);
  const drained = await cli(['drain', '--until-empty', '--eager', '--batch', '1000', ...where]);
  expect(drained.exitCode, drained.stderr).toBe(0);
  const audit = await cli(['audit', 'flash', ...where]);
  expect(audit.exitCode, audit.stdout).toBe(0);
}, 180_000);
