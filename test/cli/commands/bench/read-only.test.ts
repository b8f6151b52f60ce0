import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { openEndpoint } from '../../../support/endpoint.ts';
import { FOREIGN_TABLE, foreignServer } from '../../../support/foreign-server.ts';
import { issueWaiting } from '../../../support/issue.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

const reader = `reader_${randomUUID().slice(0, 8)}`;
let stores: TestStores;
/** The stores, for somebody who may only read. */
let urls: { redisUrl: string; databaseUrl: string };

beforeAll(async () => {
  stores = await openStores();
  await stores.redis.call('ACL', 'SETUSER', reader, 'on', '>secret', '~*', '+@read', '+select');
  await stores.sql(`CREATE ROLE ${reader} LOGIN PASSWORD 'secret'`);
  await stores.sql(FOREIGN_TABLE);
  await stores.sql(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader}`);
  const as = (text: string): string => Object.assign(new URL(text), { username: reader, password: 'secret' }).href;
  urls = { redisUrl: as(stores.redisUrl), databaseUrl: as(stores.databaseUrl) };
});
afterAll(async () => {
  await stores.redis.call('ACL', 'DELUSER', reader);
  await stores.sql(`DROP OWNED BY ${reader}`);
  await stores.sql(`DROP ROLE ${reader}`);
  await stores[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE member_coupon');
});

function file(scenario: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'mine.yaml');
  writeFileSync(path, JSON.stringify(scenario));
  return path;
}

describe('with --url bench only reads: a Redis user with +@read and a role with SELECT are enough', () => {
  test('for our own service', async () => {
    await stores.seed({ id: 'mine', total: 20 });
    await using endpoint = await openEndpoint(stores);
    const over = new AbortController();
    const drained = (async () => {
      for (; !over.signal.aborted; await sleep(5)) await issueWaiting(stores, 'mine');
    })();
    const path = file({
      version: 1,
      name: 'mine',
      coupons: [{ id: 'mine', total: 20 }],
      users: { count: 60, duplicateRate: 0.5 },
      phases: [{ vus: 5 }],
      settle: { quietFor: '100ms' },
    });
    const result = await cli([...at(urls), 'bench', path, '--url', endpoint.url, '--json']);
    over.abort();
    await drained;
    expect(result.stderr).not.toContain('warn');
    expect(result.json<BenchReport>()).toMatchObject({
      coupons: [{ accepted: 20, issued: 20 }],
      verdict: { integrity: 'pass' },
      exitCode: 0,
    });
  });

  test('for a third-party service, an allowed coupon that is in use included', async () => {
    await using server = await foreignServer(stores, 'summer-2027', { total: 100 });
    const example = parse(readFileSync('scenarios/foreign-service.example.yaml', 'utf8')) as object;
    const half = { ...example, users: { count: 40, prefix: '', start: 1 }, thresholds: {}, settle: { quietFor: '250ms' } };
    const first = await cli([...at(urls), 'bench', file(half), '--url', server.url, '--json']);
    expect(first.json<BenchReport>()).toMatchObject({ coupons: [{ accepted: 40, issued: 40, stock: 60 }], exitCode: 0 });

    const again = [...at(urls), 'bench', file({ ...half, users: { count: 50, prefix: '', start: 31 } }), '--url', server.url, '--json'];
    const refused = await cli(again);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('COUPON_NOT_FRESH') });
    expect(await server.issued()).toHaveLength(40);

    // The first ten of these users have their coupon already, and are told so.
    const allowed = await cli([...again, '--allow-coupon', 'summer-2027']);
    expect(allowed.json<BenchReport>()).toMatchObject({
      outcomes: { accepted: 40, duplicate: 10 },
      verdict: { integrity: 'held' },
      exitCode: 0,
    });
  });
});
