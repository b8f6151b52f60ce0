import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/operate/doctor/schema.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisReader } from '../../src/stores/redis/reader.ts';
import { endWithUs } from '../support/end-with-us.ts';
import { redisCluster, type TestCluster } from '../support/redis-cluster.ts';
import { cli, type CliResult } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

let stores: TestStores;
let cluster: TestCluster;
beforeAll(async () => {
  stores = await openStores();
  cluster = await redisCluster();
}, 120_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await stores?.[Symbol.asyncDispose]();
});

const run = (...argv: string[]): Promise<CliResult> => cli(['--redis-url', cluster.url, '--database-url', stores.databaseUrl, ...argv]);
const ok = async (...argv: string[]): Promise<CliResult> => {
  const result = await run(...argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}${result.stdout}`);
  return result;
};

describe('the whole story on a cluster', () => {
  test('seed, rush, drain, use, look, repair, reset', async () => {
    const [one, two, three] = cluster.primaries.map((node) => cluster.couponOn(node, 'c'));
    for (const id of [one!, two!, three!]) {
      const { port } = await cluster.holder(id);
      const { stdout } = await ok('seed', id, '--name', `Coupon ${id}`, '--stock', '20');
      expect(stdout).toContain(`on 127.0.0.1:${port}`);
    }
    for (const id of [one!, two!, three!]) {
      const { stdout } = await ok('submit', id, '--users', '30', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ outcomes: { accepted: 20, sold_out: 10 } });
    }
    await ok('drain', '--until-empty', '--interval', '20ms');
    const [issued] = await stores.sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1 LIMIT 1', [one!]);
    await ok('use', one!, issued!['user_id'] as string);
    for (const id of [one!, two!, three!])
      expect((await ok('inspect')).stdout).toMatch(
        new RegExp(`^${id}\\s.*\\s127\\.0\\.0\\.1:${(await cluster.holder(id)).port}\\s*$`, 'm'),
      );
    await ok('audit', '--scan');
    const node = await cluster.holder(two!);
    await node.redis.hincrby(`coupon:{${two!}}`, 'stock', -1);
    expect((await run('audit', '--scan')).exitCode).toBe(4);
    await ok('audit', '--scan', '--repair');
    await ok('audit', '--scan');
    await ok('seed', one!, '--name', 'Again', '--stock', '5', '--reset', `--confirm=${one!}`);
    await ok('audit', '--scan');
  });

  test('doctor looks at each server, and measures on one of them', async () => {
    const { lines, bytesPerUser } = (await run('doctor', '--probe', '--users', '1000', '--json')).json<DoctorReport>();
    const addresses = cluster.primaries.map(({ port }) => `127.0.0.1:${port}`).toSorted();
    for (const check of ['redis_version', 'redis_replicas', 'redis_memory', 'clocks_of_stores']) {
      const found = lines.filter((line) => line.check === check);
      expect(found.map(({ where }) => where).toSorted(), check).toEqual(addresses);
    }
    expect(lines.find(({ check }) => check === 'redis_role')!.text).toBe('primary, one of 3 in a Redis Cluster');
    expect(lines.find(({ check }) => check === 'redis_replicas')!.text).toBe('1 replica, in step');
    expect(bytesPerUser).toMatchObject({ from: 'probe' });
  });

  test('a server that is away takes its own coupons along, and no others', async () => {
    // The URL names the first one.
    const [here, gone] = cluster.primaries.map((node) => cluster.couponOn(node, 'away'));
    for (const id of [gone!, here!]) await ok('seed', id, '--name', 'X', '--stock', '5');
    const node = await cluster.holder(gone!);
    const replica = await cluster.replicaOf(node);
    // Nobody takes its place meanwhile.
    await replica.redis.call('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes');
    const connection = await openRedis({ url: cluster.url, reconnect: true });
    await node.server.kill();
    // The others go on naming it as the holder, and refuse what is sent to them instead.
    await until(() => !connection.servers().some(({ address }) => address === `127.0.0.1:${node.port}`));
    await expect(redisReader(connection, 'hash-tag').coupon(gone!)).rejects.toMatchObject({ code: 'REDIS_NODE_DOWN' });
    connection.close();
    const { stdout } = await ok('inspect');
    expect(stdout).toMatch(new RegExp(`^${gone!}\\s.*its server is away`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${here!}\\s+X\\s+open`, 'm'));
    expect(await run('submit', gone!, '--user', 'kim')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('REDIS_NODE_DOWN') });
    expect((await ok('submit', here!, '--user', 'kim', '--json')).json()).toMatchObject({ outcomes: { accepted: 1 } });
    await replica.redis.call('CONFIG', 'SET', 'cluster-replica-no-failover', 'no');
    await cluster.rejoin(node, 'master');
  });

  test('all links are lost while the server of the address is gone: the others are known', async () => {
    const connection = await openRedis({ url: cluster.url, reconnect: true });
    const named = [...cluster.primaries, ...cluster.replicas].find(({ port }) => port === Number(new URL(cluster.url).port))!;
    const id = cluster.couponOn(
      cluster.primaries.find((node) => node !== named)!,
      'far',
    );
    const there = (): Promise<boolean> =>
      connection.client.exists(`coupon:{${id}}`).then(
        () => true,
        () => false,
      );
    expect(await there()).toBe(true);
    await cluster.failOver(named);
    const running = (await cluster.primariesNow()).filter((node) => node !== named);
    await until(() => connection.servers().length === 3);
    for (const node of [...running, ...cluster.replicas.filter((replica) => !running.includes(replica))])
      await node.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(there, { timeout: 20_000 }).toBe(true);
    connection.close();
    await cluster.rejoin(named);
  });

  test('an answer is not confirmed while the keys of its coupon are on their way', async () => {
    const [id] = cluster.primaries.map((node) => cluster.couponOn(node, 'way'));
    await ok('seed', id!, '--name', 'X', '--stock', '5');
    const holder = await cluster.holder(id!);
    const other = (await cluster.primariesNow()).find((node) => node !== holder)!;
    const asked: CliResult[] = [];
    await cluster.moveSlot(id!, other, async () => {
      // All keys are there already, and the slot is still the old server's: scripts are sent on by ASK.
      await cluster.moveKeys(id!, other);
      asked.push(await run('submit', id!, '--user', 'kim', '--accepted-means', 'replica', '--json'));
    });
    expect(asked[0]!.json()).toMatchObject({ outcomes: { accepted: 0, unknown: 1 } });
    expect((await ok('submit', id!, '--user', 'lee', '--accepted-means', 'replica', '--json')).json()).toMatchObject({
      outcomes: { accepted: 1 },
    });
  });

  test('key style plain is refused, with the reason', async () => {
    expect(await run('inspect', '--key-style', 'plain')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('several servers') });
  });
});

test('a process ends although its connection was closed while it asked where the slots are', async () => {
  const program = fileURLToPath(new URL('../support/cluster-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, cluster.url], { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  await once(child.stdout, 'data');
  const servers = [...cluster.primaries, ...cluster.replicas].filter(({ server }) => !server.exited).map(({ server }) => server.pid);
  for (const pid of servers) process.kill(pid, 'SIGSTOP');
  try {
    // It asks once a second, and now waits for the answer.
    await delay(1_500);
    child.stdin.end('close\n');
  } finally {
    await delay(100);
    for (const pid of servers) process.kill(pid, 'SIGCONT');
  }
  await until(() => child.exitCode !== null);
  expect(child.exitCode).toBe(0);
});
