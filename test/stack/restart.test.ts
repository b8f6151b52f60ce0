import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { stackRestart, stackStatus, stackUp } from '../../src/stack/stack.ts';
import { testHost } from '../support/host.ts';
import { StackDirs } from '../support/stack-dir.ts';

const host = testHost();
const dirs = new StackDirs(host);
afterAll(() => dirs.removeAll());

const asking = async <T>(databaseUrl: string, ask: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await ask(client);
  } finally {
    await client.end();
  }
};

test('each server is ended as by a crash and comes back on its port with what it had acknowledged', async () => {
  const dir = dirs.next('restart');
  const { redisUrl, databaseUrl, redis, postgres } = await stackUp(host, { dir });
  const client = new Redis(redisUrl, { maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.set('kept', 'yes');
  await asking(databaseUrl, (sql) => sql.query('CREATE TABLE kept AS SELECT 1 AS one'));
  // A session that is in the middle of something when the server goes.
  const cut = new pg.Client({ connectionString: databaseUrl });
  cut.on('error', () => undefined);
  await cut.connect();
  await cut.query('BEGIN; INSERT INTO kept VALUES (2)');

  await stackRestart(host, { dir, store: 'redis' });
  await stackRestart(host, { dir, store: 'postgres' });

  const after = await stackStatus(host, { dir });
  expect(after).toMatchObject({ redis: { running: true, url: redisUrl }, postgres: { running: true, url: databaseUrl } });
  expect(after.redis.pid).not.toBe(redis.pid);
  expect(after.postgres.pid).not.toBe(postgres.pid);
  expect(await client.get('kept')).toBe('yes');
  expect(await asking(databaseUrl, async (sql) => (await sql.query('SELECT * FROM kept')).rows)).toEqual([{ one: 1 }]);
  client.disconnect();
  await cut.end().catch(() => undefined);
});

test('without a stack there is nothing to restart', async () => {
  await expect(stackRestart(host, { dir: dirs.next('none'), store: 'redis' })).rejects.toMatchObject({
    code: 'STACK_NOT_UP',
    kind: 'usage',
  });
});
