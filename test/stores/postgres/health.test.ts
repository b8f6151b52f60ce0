import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { ledgerHealth } from '../../../src/stores/postgres/health.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { openProxy } from '../../support/tcp-proxy.ts';

describe('the condition of the ledger', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  it('is up where rows can be inserted', async () => {
    expect(await stores.health.ledger.condition()).toBe('up');
  });

  it('is readonly where transactions are', async () => {
    const database = new Database(stores.databaseUrl, { readOnly: true });
    expect(await ledgerHealth(database).condition()).toBe('readonly');
    await database.close();
  });

  it('is schema before the first migration', async () => {
    await using bare = await openStores({ migrated: false });
    expect(await bare.health.ledger.condition()).toBe('schema');
  });

  it('is refused for a role that does not exist', async () => {
    const url = new URL(stores.databaseUrl);
    url.username = 'nobody_of_this_name';
    const database = new Database(url.href);
    expect(await ledgerHealth(database).condition()).toBe('refused');
    await database.close();
  });

  it.each([
    ['SELECT', 'refused', 'refused'],
    ['SELECT, UPDATE', 'up', 'refused'],
    ['SELECT, UPDATE, INSERT', 'up', 'up'],
  ])('with %s alone: to mark as used %s, to issue %s', async (rights, use, issue) => {
    const role = `role_${randomUUID().slice(0, 8)}`;
    await stores.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT ${rights} ON ALL TABLES IN SCHEMA public TO ${role}`);
    const url = new URL(stores.databaseUrl);
    [url.username, url.password] = [role, 'pw'];
    const database = new Database(url.href);
    expect(await ledgerHealth(database, 'use').condition()).toBe(use);
    expect(await ledgerHealth(database, 'issue').condition()).toBe(issue);
    await database.close();
    await stores.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('is down without a connection, and up when that is back', async () => {
    await using proxy = await openProxy(stores.databaseUrl);
    const database = new Database(proxy.through(stores.databaseUrl));
    const health = ledgerHealth(database);
    expect(await health.condition()).toBe('up');
    await proxy.cut();
    expect(await health.condition()).toBe('down');
    await proxy.restore();
    expect(await health.condition()).toBe('up');
    await database.close();
  });

  it('over a link that went silent is told in the end, and no connection is kept for it', async () => {
    await using proxy = await openProxy(stores.databaseUrl);
    const database = new Database(proxy.through(stores.databaseUrl), { poolSize: 1 });
    const health = ledgerHealth(database);
    expect(await health.condition()).toBe('up');
    proxy.holdReplies();
    expect(await health.condition()).toBe('down');
    proxy.releaseReplies();
    expect(await health.condition()).toBe('up');
    await database.close();
  });
});
