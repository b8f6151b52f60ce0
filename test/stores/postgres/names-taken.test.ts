import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrations } from '../../../src/stores/postgres/migrate.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeEach(async () => {
  stores = await openStores({ migrated: false });
});
afterEach(() => stores[Symbol.asyncDispose]());

const run = (...argv: string[]): Promise<CliResult> => cli([...at(stores), ...argv]);
const tables = async (schema = 'public'): Promise<unknown[]> =>
  (
    await stores.sql('SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ($2, $3) ORDER BY 1', [
      schema,
      'r',
      'i',
    ])
  ).map((row) => row['relname']);

describe('a name that the shop has taken', () => {
  test.each([
    ['a table', 'coupons', 'CREATE TABLE coupons (code text)'],
    ['a table of a later migration', 'operator_log', 'CREATE TABLE operator_log (line text)'],
    ['a view', 'issued_coupons', 'CREATE VIEW issued_coupons AS SELECT 1 AS one'],
    ['an enumeration', 'coupons', "CREATE TYPE coupons AS ENUM ('10%', '20%')"],
    ['a domain', 'issued_coupons', 'CREATE DOMAIN issued_coupons AS text'],
    ['a sequence', 'coupons', 'CREATE SEQUENCE coupons'],
    ['an index', 'issued_coupons_pace', 'CREATE TABLE shop (a int); CREATE INDEX issued_coupons_pace ON shop (a)'],
    ['the list of its own migrations', 'coupon_migrations', 'CREATE TABLE coupon_migrations (id bigint PRIMARY KEY)'],
  ])('as %s is refused with the way out before anything is made: %s', async (_kind, name, sql) => {
    await stores.sql(sql);
    const before = await tables();
    for (const argv of [['migrate'], ['migrate', '--json']]) {
      const { exitCode, stderr } = await run(...argv);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('TABLE_TAKEN') });
      expect(stderr).toContain(name);
      expect(stderr).toContain('--schema coupon_cli');
    }
    expect(await tables()).toEqual(before);
    expect((await run('inspect')).exitCode).toBe(2);
    expect((await run('migrate', '--schema', 'coupon_cli')).exitCode).toBe(0);
    expect((await run('seed', 'a', '--name', 'A', '--stock', '1', '--schema', 'coupon_cli')).exitCode).toBe(0);
    expect((await run('audit', '--schema', 'coupon_cli')).exitCode).toBe(0);
  });

  test('in the schema that was named is refused as well', async () => {
    await stores.sql('CREATE SCHEMA shop; CREATE TABLE shop.coupons (code text)');
    expect(await run('migrate', '--schema', 'shop')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('TABLE_TAKEN') });
    expect(await tables('shop')).toEqual(['coupons']);
    expect((await run('migrate')).exitCode).toBe(0);
  });

  test('by ourselves is no obstacle: what is missing is made, also by two at once', async () => {
    const first = migrations()[0]!;
    await stores.sql(
      'CREATE TABLE coupon_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz(3) NOT NULL DEFAULT now())',
    );
    await stores.sql(first.sql);
    await stores.sql('INSERT INTO coupon_migrations VALUES (1, $1)', [first.name]);
    for (const { exitCode, stderr } of await Promise.all([run('migrate'), run('migrate'), run('migrate')]))
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await stores.sql('SELECT max(version) AS v FROM coupon_migrations')).toEqual([{ v: migrations().at(-1)!.version }]);
  });
});
