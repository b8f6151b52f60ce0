import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, type CliResult } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

/** Two environments in one Redis, each with a ledger of its own. */
let production: TestStores;
let staging: TestStores;
beforeAll(async () => {
  production = await openStores();
  staging = await openStores();
});
afterAll(async () => {
  await production[Symbol.asyncDispose]();
  await staging[Symbol.asyncDispose]();
});

const PREFIX = 'staging:';

function runner(stores: TestStores, prefix: string) {
  const run = (...argv: string[]): Promise<CliResult> =>
    cli(['--redis-url', production.redisUrl, '--database-url', stores.databaseUrl, ...argv], {
      vars: prefix === '' ? {} : { COUPON_KEY_PREFIX: prefix },
    });
  const ok = async (...argv: string[]): Promise<CliResult> => {
    const result = await run(...argv);
    if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}${result.stdout}`);
    return result;
  };
  return { run, ok };
}

test('the whole story twice under one coupon id: neither sees the other', async () => {
  const both = [runner(production, ''), runner(staging, PREFIX)];
  for (const { ok } of both) await ok('seed', 'summer', '--name', 'Summer', '--stock', '10');
  for (const { ok } of both) await ok('submit', 'summer', '--users', '15');
  for (const { ok } of both) await ok('drain', '--until-empty', '--interval', '50ms', '--scan');
  for (const { ok, run } of both) {
    await ok('use', 'summer', 'user-1');
    await ok('restock', 'summer', '--add', '2');
    await ok('inspect', 'issued', 'summer');
    expect((await run('audit', '--scan')).stdout).toContain('both stores agree');
  }
  const keys = await production.redis.keys('*');
  expect(
    keys
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => key.slice(PREFIX.length))
      .toSorted(),
  ).toEqual(keys.filter((key) => !key.startsWith(PREFIX)).toSorted());
  // A lost hash of one is rebuilt, and the other's stays as it is.
  const [mine] = await production.redis.keys(`${PREFIX}issued_coupon:*`);
  await production.redis.del(mine!);
  expect((await both[1]!.run('audit', 'summer')).exitCode).toBe(4);
  await both[1]!.ok('audit', 'summer', '--repair');
  expect(await production.redis.exists(mine!)).toBe(1);
  for (const { ok } of both) await ok('audit', '--scan');
});

test('without the prefix, the advice is to ask first whose a coupon is', async () => {
  const { stdout, exitCode } = await runner(staging, '').run('audit', '--repair', '--dry-run');
  expect(exitCode).not.toBe(0);
  expect(stdout).not.toContain('--reset');
});

test('a prefix that is none is refused', async () => {
  for (const prefix of ['a*', '{x}', 'a b', '"', 'x'.repeat(65)])
    expect((await runner(staging, prefix).run('inspect')).exitCode, prefix).toBe(2);
});
