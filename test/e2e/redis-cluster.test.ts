import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisCluster, type TestCluster } from '../support/redis-cluster.ts';
import { cli, type CliResult } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

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
    for (const id of [one!, two!, three!]) await ok('seed', id, '--name', `Coupon ${id}`, '--stock', '20');
    for (const id of [one!, two!, three!]) {
      const { stdout } = await ok('submit', id, '--users', '30', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ outcomes: { accepted: 20, sold_out: 10 } });
    }
    await ok('drain', '--until-empty', '--interval', '20ms');
    await ok('use', one!, 'user-1').catch(() => undefined);
    expect((await ok('inspect')).stdout).toContain(three!);
    await ok('audit', '--scan');
    const node = await cluster.holder(two!);
    await node.redis.hincrby(`coupon:{${two!}}`, 'stock', -1);
    expect((await run('audit', '--scan')).exitCode).toBe(4);
    await ok('audit', '--scan', '--repair');
    await ok('audit', '--scan');
    await ok('seed', one!, '--name', 'Again', '--stock', '5', '--reset', `--confirm=${one!}`);
    await ok('audit', '--scan');
  });

  test('key style plain is refused, with the reason', async () => {
    expect(await run('inspect', '--key-style', 'plain')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('several servers') });
  });
});
