import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Database } from '../../src/stores/postgres/connection/database.ts';
import { postgresLedger } from '../../src/stores/postgres/ledger.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { PGBOUNCER, pgBouncer } from '../support/pgbouncer.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { drained } from './campaign.ts';
import { occupy } from './kinds/occupied.ts';
import { judge } from './oracle.ts';
import { BATCH, COUPON, load, oracle, worker } from './planted-load.ts';
import { popThenInsert } from './planted.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
beforeEach(() => stores.clear());
afterAll(() => stores[Symbol.asyncDispose]());

/** Pops users, cannot issue them, and gives up: whatever was in the way, they must be missed. */
async function losesWhomItPopped(url: string, hinder: () => Promise<void>): Promise<number> {
  await stores.seed({ id: COUPON, total: 1_000 });
  await using endpoint = await openEndpoint(stores);
  const database = new Database(url);
  onTestFinished(() => database.close());
  const hindered = { ...stores, ledger: { ...stores.ledger, issue: postgresLedger(database).issue } };
  const subject = await load(endpoint, 1_000, async () => {
    await until(async () => (await stores.claims.backlog(COUPON)).waiting > BATCH);
    await hinder();
    await expect(popThenInsert(hindered, COUPON, BATCH, false)).rejects.toMatchObject({ kind: 'unreachable' });
  });
  const sound = worker(stores);
  expect(await drained(stores, subject)).toEqual([]);
  await sound.stop();
  const { broken, counts } = await judge(subject, oracle(stores));
  expect(broken.join('\n')).toMatch(/ACCEPTED_NOT_ISSUED/);
  return counts.lost;
}

describe('a worker that pops, then inserts, loses users', () => {
  test.skipIf(PGBOUNCER === null)('when its pooler is killed', async () => {
    await using pooler = await pgBouncer(stores.databaseUrl);
    expect(await losesWhomItPopped(pooler.url, pooler.kill)).toBe(BATCH);
  });

  test.skipIf(PGBOUNCER === null)('when others hold every connection of its pooler', async () => {
    await using pooler = await pgBouncer(stores.databaseUrl, { poolSize: 1, waits: 1 });
    await using others = await occupy(pooler.url, 1, 'BEGIN');
    expect(await losesWhomItPopped(pooler.url, () => others.complete())).toBe(BATCH);
  });

  test('when there are too many clients', async () => {
    const url = new URL(stores.databaseUrl);
    const name = `planted_${url.pathname.slice(1)}`;
    // Others are at work on the same server: the limit is of this role alone, and told in the same words.
    await stores.sql(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' CONNECTION LIMIT 0`);
    onTestFinished(async () => void (await stores.sql(`DROP ROLE ${name}`)));
    [url.username, url.password] = [name, 'secret'];
    expect(await losesWhomItPopped(url.href, async () => undefined)).toBe(BATCH);
  });
});
