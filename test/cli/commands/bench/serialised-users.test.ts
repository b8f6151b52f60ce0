import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { oddServer } from '../../../support/odd-server.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

/** What services write where `bench` looks for users: an id that a serializer has spelled is that user, and no stranger. */
const TOTAL = 20;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

type Accepted = (userId: string) => Promise<unknown> | void;

/** A sound sale to users 1, 2, 3 …, each of whom `accepted` writes down. */
async function sale(verify: object | ((folder: string) => object), accepted: Accepted): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const path = join(folder, 'sale.yaml');
  const scenario = {
    version: 1,
    name: 'spelled',
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 50, prefix: '', duplicateRate: 0.4 },
    outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
    phases: [{ vus: 5 }],
    settle: { timeout: '1s', quietFor: '50ms' },
    verify: { ...(typeof verify === 'function' ? verify(folder) : verify), skip: ['first_come_first_served', 'stock_adds_up'] },
  };
  writeFileSync(path, JSON.stringify(scenario));
  const admitted = new Set<string>();
  await using server = await oddServer((reply, { userId }) => {
    const status = admitted.has(userId) ? 409 : admitted.size >= TOTAL ? 410 : 201;
    if (status === 201) admitted.add(userId);
    void (async () => {
      if (status === 201) await accepted(userId);
      reply.writeHead(status).end();
    })();
  });
  const result = await cli([...at(stores), 'bench', path, '--url', server.url, '--json']);
  if (result.stdout === '') throw new Error(result.stderr);
  return result.json<BenchReport>();
}

/** An export with a line for each, the first behind `more`. */
const exported = async (line: (userId: string) => string, more: readonly string[] = []): Promise<BenchReport> => {
  const lines = ['user_id'];
  let file = '';
  const save = (): void => writeFileSync(file, `${lines.join('\n')}\n`);
  return await sale(
    (folder) => {
      file = join(folder, 'issued.csv');
      save();
      return { csv: 'issued.csv' };
    },
    (userId) => {
      if (lines.length === 1) lines.push(...more);
      lines.push(line(userId));
      save();
    },
  );
};

const failed = (report: BenchReport): string[] =>
  report.integrity.filter(({ status }) => status === 'fail').map(({ check, reason }) => `${check} ${reason}`);
const proven = { verdict: { integrity: 'pass' }, exitCode: 0 };
const noteOf = (report: BenchReport, code: string): unknown => report.notes.find((note) => note.code === code)?.facts?.['why'];

describe('an id that a serializer spelled is that user', () => {
  test.each([
    ['in quotes', (id: string) => `"""${id}"""`],
    ['with its Java type', (id: string) => `"[""java.lang.Long"",${id}]"`],
    ['between blanks', (id: string) => `  ${id} `],
  ])('in an export: %s', async (_name, line) => {
    const report = await exported(line);
    expect({ failed: failed(report), ...report }).toMatchObject({ failed: [], ...proven });
  });

  test.each([
    ['in quotes', `'"' || id || '"'`],
    ['padded to the width of its column', 'id::char(40)'],
    ['with its Java type', `'["java.lang.Long",' || id || ']'`],
  ])('in a table: %s', async (_name, column) => {
    await stores.sql('CREATE TABLE IF NOT EXISTS sold (id text)');
    await stores.sql('TRUNCATE sold');
    const report = await sale({ sql: { query: `SELECT ${column} AS user_id FROM sold WHERE $1 = 'c1'` } }, (userId) =>
      stores.sql('INSERT INTO sold VALUES ($1)', [userId]),
    );
    expect({ failed: failed(report), ...report }).toMatchObject({ failed: [], ...proven });
  });

  test.each([
    ['in quotes', (id: string) => `"${id}"`],
    ['with its Java type', (id: string) => `["java.lang.Long",${id}]`],
  ])('in a set of buyers: %s', async (_name, member) => {
    await stores.redis.hset('coupon:c1', { stock: TOTAL, total: TOTAL });
    const verify = { redis: { keys: { coupon: 'coupon:{couponId}', queue: null, issued: null, issuedUsers: 'buyers:{couponId}' } } };
    const report = await sale(verify, async (userId) => {
      await stores.redis.hincrby('coupon:c1', 'stock', -1);
      await stores.redis.sadd('buyers:c1', member(userId));
    });
    expect({ failed: failed(report), ...report }).toMatchObject({ failed: [], ...proven });
  });

  test('in a queue that nobody drains', async () => {
    await stores.redis.hset('coupon:c1', { stock: TOTAL, total: TOTAL });
    const verify = { redis: { keys: { coupon: 'coupon:{couponId}', queue: 'q:{couponId}', issued: 'got:{couponId}:{userId}' } } };
    const report = await sale(verify, async (userId) => {
      await stores.redis.hincrby('coupon:c1', 'stock', -1);
      await stores.redis.zadd('q:c1', Date.now(), `"${userId}"`);
    });
    expect(failed(report)).toEqual([]);
    expect(report.integrity.find(({ check }) => check === 'accepted_are_issued')).toMatchObject({ reason: 'NOT_SETTLED' });
  });
});

describe('what names nobody is a gap with the reason, and accuses nobody', () => {
  test.each([String.raw`\N`, 'NULL', 'null', '""', 'None', '"{""userId"":1}"'])('a row of an export with %s', async (cell) => {
    const report = await exported((id) => id, [`${cell},`]);
    expect(failed(report)).toEqual([]);
    expect(report.exitCode).toBe(5);
    expect(noteOf(report, 'LEDGER_UNREADABLE')).toMatch(/user_id of line 2 is (empty|".+", which names nobody)/);
  });

  test('a row of a table without a user', async () => {
    await stores.sql('CREATE TABLE IF NOT EXISTS sold (id text)');
    await stores.sql('TRUNCATE sold');
    const query = `SELECT id AS user_id FROM sold WHERE $1 = 'c1' UNION ALL SELECT NULL WHERE EXISTS (SELECT FROM sold)`;
    const report = await sale({ sql: { query } }, (userId) => stores.sql('INSERT INTO sold VALUES ($1)', [userId]));
    expect(failed(report)).toEqual([]);
    expect(noteOf(report, 'LEDGER_UNREADABLE')).toMatch(/user_id of row \d+ is empty/);
  });

  test.each([
    ['a JSON object', Buffer.from('{"userId":1}')],
    ['bytes of the JDK', Buffer.from('\u00ac\u00ed\u0000\u0005t\u0000\u00017', 'latin1')],
  ])('a member of a queue that is %s', async (_name, member) => {
    await stores.redis.hset('coupon:c1', { stock: TOTAL, total: TOTAL });
    const verify = { redis: { keys: { coupon: 'coupon:{couponId}', queue: 'q:{couponId}', issued: null } } };
    const report = await sale(verify, async () => {
      await stores.redis.hincrby('coupon:c1', 'stock', -1);
      await stores.redis.zadd('q:c1', Date.now(), member);
    });
    expect(failed(report)).toEqual([]);
    expect(noteOf(report, 'REDIS_UNREADABLE')).toContain('names no user');
  });
});
