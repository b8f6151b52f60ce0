import { afterAll, beforeAll, expect, test } from 'vitest';
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
