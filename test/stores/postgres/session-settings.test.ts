import { afterAll, beforeAll, expect, test } from 'vitest';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => void (stores = await openStores()));
afterAll(() => stores[Symbol.asyncDispose]());

test.each([
  [{ PGOPTIONS: '-c nosuch=1' }, 'nosuch'],
  [{ PGOPTIONS: '-c search_path=public -c work_mem=much' }, 'work_mem'],
  [{ PGOPTIONS: '-c max_connections=5' }, 'max_connections'],
  [{ PGTZ: 'Mars/Base' }, 'TimeZone'],
  [{ PGDATESTYLE: 'roman' }, 'PGDATESTYLE'],
])('a setting of the session that PostgreSQL refuses is a wrong setting: %j', async (vars, name) => {
  const { exitCode, stderr } = await cli(['inspect'], { vars: { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, ...vars } });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[BAD_DATABASE_URL]') });
  expect(stderr).toContain(name);
});

test('a statement alone is READ COMMITTED too, has a time limit of its own, and leaves none behind', async () => {
  const url = `${stores.databaseUrl}?options=-c%20default_transaction_isolation%3Dserializable`;
  const database = new Database(url, { poolSize: 1 });
  const show = {
    text: `SELECT current_setting('transaction_isolation') AS isolation, current_setting('statement_timeout') AS "limit"`,
  };
  try {
    expect(await database.alone(show, 1_234.5)).toEqual([{ isolation: 'read committed', limit: '1234ms' }]);
    expect(await database.query(show)).toEqual([{ isolation: 'read committed', limit: '1min' }]);
    await expect(database.alone({ text: 'SELECT pg_sleep(5)' }, 20)).rejects.toMatchObject({ code: '57014' });
    // The session is sound, and is used again.
    expect(await database.query(show)).toEqual([{ isolation: 'read committed', limit: '1min' }]);
  } finally {
    await database.close();
  }
});
