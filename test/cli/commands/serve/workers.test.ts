import { spawnSync } from 'node:child_process';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, type Running } from '../../../support/processes.ts';
import { at } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** Gone with the scope, also when a test fails. */
async function serve(workers: number): Promise<Running & AsyncDisposable & { url: string; workers: () => number[] }> {
  const running = start(['serve', '--port', '0', '--workers', String(workers), '--json', ...at(stores)]);
  await until(() => running.stdout().includes('\n') || running.child.exitCode !== null);
  const { url } = JSON.parse(running.stdout().split('\n')[0]!) as { url: string };
  return {
    ...running,
    url,
    workers: () => childrenOf(running.child.pid!),
    async [Symbol.asyncDispose]() {
      running.child.kill('SIGKILL');
      await running.finished;
    },
  };
}

const childrenOf = (pid: number): number[] =>
  spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number);

/** A new connection for each request, as new users have: the next worker takes it. */
function ask(url: string, userId: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const body = JSON.stringify({ userId });
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request(`${url}/coupons/42/requests`, { method: 'POST', agent, headers }, (reply) => {
      reply.resume().once('end', () => resolve(reply.statusCode!));
    });
    sent.once('error', reject).end(body);
  });
}

const counted = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = text.matchAll(/^coupon_admissions_total\{coupon="42",result="\w+"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
};

test('workers share one port, their metrics are summed, and what the stores say is not', async () => {
  await stores.clear();
  await stores.seed({ id: '42', total: 10 });
  await using server = await serve(3);
  const { url, child, finished, workers } = server;
  expect(workers()).toHaveLength(3);
  const statuses = [];
  for (let i = 0; i < 30; i += 1) statuses.push(await ask(url, `user-${i}`));
  expect(statuses.filter((status) => status === 202)).toHaveLength(10);
  expect(statuses.filter((status) => status === 410)).toHaveLength(20);
  for (let scrape = 0; scrape < 4; scrape += 1) expect(await counted(url)).toBe(30);
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(text).toContain('coupon_queue_depth{coupon="42",state="waiting"} 10\n');
  child.kill('SIGTERM');
  expect(await finished).toMatchObject({ exitCode: 0 });
});

test('a worker that dies is replaced, and is told', async () => {
  await using server = await serve(2);
  const { child, finished, workers } = server;
  const [first] = workers() as [number];
  process.kill(first, 'SIGKILL');
  await until(() => workers().length === 2 && !workers().includes(first));
  child.kill('SIGTERM');
  const { exitCode, stderr } = await finished;
  expect(exitCode).toBe(0);
  expect(stderr).toContain(`worker ${first} ended (SIGKILL) and is replaced`);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'on %s every connection that was taken is answered, and nothing is refused while a worker runs',
  async (signal) => {
    await stores.clear();
    await stores.seed({ id: '42', total: 1_000_000 });
    await using server = await serve(3);
    const { url, child, finished, workers } = server;
    let [over, users] = [false, 0];
    const failures: string[] = [];
    const client = async (): Promise<void> => {
      while (!over) {
        const few = workers().length;
        try {
          expect(await ask(url, `user-${(users += 1)}`)).toBe(202);
        } catch (error) {
          // Only the end of the last worker closes the port.
          if (few > 1 && workers().length > 1) failures.push(String(error));
          over = true;
        }
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await until(() => users > 200);
    // As a terminal does it: SIGINT goes to all processes.
    for (const pid of signal === 'SIGINT' ? [child.pid!, ...workers()] : [child.pid!]) process.kill(pid, signal);
    await Promise.all(clients);
    expect(await finished).toMatchObject({ exitCode: 0 });
    expect(failures).toEqual([]);
    // Whoever was told "accepted" is in Redis, and nobody else.
    expect(await stores.redis.hlen('coupon_admitted:42')).toBeGreaterThan(200);
  },
);

test('a fault at the start is told once, with its exit code', async () => {
  const { finished } = start([
    'serve',
    '--port',
    '0',
    '--workers',
    '3',
    '--redis-url',
    'redis://127.0.0.1:1',
    '--database-url',
    stores.databaseUrl,
  ]);
  const { exitCode, stderr } = await finished;
  expect(exitCode).toBe(3);
  expect(stderr.match(/cannot be reached/g)).toHaveLength(1);
});

test('a signal ends it also while the first worker waits for its stores', async () => {
  const { child, finished, stdout } = start([
    'serve',
    '--port',
    '0',
    '--workers',
    '2',
    '--wait-for-stores',
    '1m',
    '--redis-url',
    'redis://127.0.0.1:1',
    '--database-url',
    stores.databaseUrl,
  ]);
  await until(() => childrenOf(child.pid!).length > 0);
  child.kill('SIGTERM');
  expect(await finished).toMatchObject({ exitCode: 0 });
  expect(stdout()).toBe('');
});
