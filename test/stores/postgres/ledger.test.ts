import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/campaign/coupon.ts';
import type { LedgerRow } from '../../../src/campaign/ports/ledger.ts';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { ledgerIssued } from '../../../src/stores/postgres/ledger-issued.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { openProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

const T0 = 1_795_330_311_000_000;
const claimsOf = (from: number, to: number, fence = 1): Claim[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ userId: `user-${from + i}`, score: T0 + from + i, fence, deliveries: 1 }));

const byUser = (rows: readonly LedgerRow[]): LedgerRow[] => rows.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));

describe('the ledger', () => {
  let stores: TestStores;
  let epoch: string;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 100 });
    epoch = (await stores.ledger.coupon('42'))!.epoch;
  });

  const issue = (claims: Claim[], options: { epoch?: string } = {}) =>
    stores.ledger.issue('42', claims, { epoch, worker: 'w', timeoutMs: 10_000, ...options });

  it('issues a batch once, however often it is asked', async () => {
    const first = await issue(claimsOf(1, 10));
    const again = await issue(claimsOf(1, 12, 2));
    expect(first).toMatchObject({ status: 'ok' });
    expect(again.status === 'ok' && again.rows.map((row) => row.userId).toSorted()).toEqual(
      claimsOf(1, 12)
        .map((claim) => claim.userId)
        .toSorted(),
    );
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 12, rows: 12 });
    expect((await stores.ledger.coupon('42'))!.maxFence).toBe(2);
    expect(await stores.sql(`SELECT fence FROM issued_coupons WHERE user_id = 'user-1'`)).toEqual([{ fence: '1' }]);
  });

  describe('for users who were never claimed before', () => {
    const sent = async (batches: Claim[][]): Promise<{ names: unknown[]; results: unknown[] }> => {
      const names: unknown[] = [];
      const database: Database = Object.create(stores.database, {
        alone: {
          value: async (query: pg.QueryConfig, ms: number) => {
            names.push(query.name);
            return stores.database.alone(query, ms);
          },
        },
      }) as Database;
      const ledger = ledgerIssued(database);
      const results: unknown[] = [];
      for (const batch of batches) results.push(await ledger.issue('42', batch, { epoch, worker: 'w', timeoutMs: 10_000 }));
      return { names, results };
    };

    it('does not look for rows first', async () => {
      expect((await sent([claimsOf(1, 3), claimsOf(4, 6)])).names).toEqual(['issue-first', 'issue-first']);
      const again = claimsOf(7, 9).map((claim) => ({ ...claim, deliveries: claim.userId === 'user-8' ? 2 : 1 }));
      expect((await sent([again])).names).toEqual(['issue']);
    });

    it('finds a row that is there all the same, and looks for rows first for a while then', async () => {
      const before = (await sent([claimsOf(2, 2)])).results;
      const { names, results } = await sent(Array.from({ length: 102 }, (_, i) => claimsOf(i === 0 ? 1 : i + 2, i + 2, i + 2)));
      expect(names.slice(0, 4)).toEqual(['issue-first', 'issue', 'find-issued', 'issue']);
      expect(names.slice(-3)).toEqual(['issue', 'issue', 'issue-first']);
      expect(results.at(0)).toMatchObject({
        status: 'ok',
        rows: [
          { userId: 'user-1', fence: 2 },
          { userId: 'user-2', fence: 1 },
        ],
      });
      expect(before).toMatchObject([{ status: 'ok', rows: [{ userId: 'user-2' }] }]);
    });

    it('refuses by name what a unique index of another kind refuses', async () => {
      await stores.sql(`CREATE UNIQUE INDEX one_a_day ON issued_coupons (fence)`);
      try {
        const { names, results } = await sent([claimsOf(1, 2, 5)]);
        expect(names).toEqual(['issue-first', 'issue']);
        expect(results).toMatchObject([{ status: 'refused', scope: 'row', reason: expect.stringContaining('23505 one_a_day') }]);
      } finally {
        await stores.sql('DROP INDEX one_a_day');
      }
    });
  });

  it('keeps the exact request time, and milliseconds of it as a timestamp', async () => {
    await issue([{ userId: 'kim', score: T0 + 82_492, fence: 1, deliveries: 3 }]);
    const [row] = await stores.ledger.rows('42', ['kim']);
    expect(row).toMatchObject({ requestedUs: T0 + 82_492, requestedAt: new Date((T0 + 82_000) / 1_000), deliveries: 3, worker: 'w' });
  });

  it('refuses a batch that would pass the total, whole, whatever Redis believes', async () => {
    await issue(claimsOf(1, 95));
    expect(await issue(claimsOf(96, 101))).toEqual({ status: 'guarded', constraint: 'coupons_total' });
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 95, rows: 95 });
    expect(await issue(claimsOf(96, 100))).toMatchObject({ status: 'ok' });
  });

  it('refuses the total even to someone who writes the table by hand and counts honestly', async () => {
    await expect(stores.sql(`UPDATE coupons SET issued_quantity = 101 WHERE id = '42'`)).rejects.toMatchObject({
      constraint: 'coupons_total',
    });
  });

  it('does nothing for another life of the coupon', async () => {
    expect(await issue(claimsOf(1, 3), { epoch: '00000000-0000-4000-8000-000000000000' })).toEqual({ status: 'epoch' });
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 0, rows: 0 });
  });

  it('survives overlapping batches in opposite order from many workers at once, counting each user once', async () => {
    const batches = Array.from({ length: 12 }, (_, i) => claimsOf(1 + (i % 3) * 20, 60, i + 1));
    const results = await Promise.all(batches.map((batch, i) => issue(i % 2 === 0 ? batch : batch.toReversed())));
    expect(results.map((result) => result.status)).toEqual(batches.map(() => 'ok'));
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 60, rows: 60 });
  });

  it('never over-issues when workers race for the last coupons', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => issue(claimsOf(1 + i * 15, 15 + i * 15))));
    const ok = results.filter((result) => result.status === 'ok').length;
    expect(ok).toBe(6);
    expect(results.filter((result) => result.status === 'guarded')).toHaveLength(4);
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 90, rows: 90 });
  });

  it('looks again after waiting for the lock: a reset that came first leaves nothing to do', async () => {
    const blocker = new pg.Client({ connectionString: stores.databaseUrl });
    await blocker.connect();
    await blocker.query(`BEGIN; UPDATE coupons SET epoch = gen_random_uuid(), state = 'resetting' WHERE id = '42'`);
    const waiting = issue(claimsOf(1, 5));
    await until(
      async () =>
        (await stores.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)).length > 0,
    );
    await blocker.query('COMMIT');
    await blocker.end();
    expect(await waiting).toEqual({ status: 'epoch' });
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 0, rows: 0 });
  });

  describe('over a link that breaks', () => {
    /** An issue through a proxy that waits, at the very end, for a lock that we hold. */
    const heldUp = async () => {
      await stores.sql(`
        CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON issued_coupons DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`);
      const blocker = new pg.Client({ connectionString: stores.databaseUrl });
      await blocker.connect();
      await blocker.query('SELECT pg_advisory_lock(7)');
      const proxy = await openProxy(stores.databaseUrl);
      const database = new Database(proxy.through(stores.databaseUrl));
      const failed = ledgerIssued(database)
        .issue('42', claimsOf(1, 1), { epoch, worker: 'w', timeoutMs: 10_000 })
        .catch((error: unknown) => error);
      const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()`;
      await until(async () => (await stores.sql(waiting)).length === 1);
      const [{ pid }] = (await stores.sql(waiting)) as [{ pid: number }];
      const end = async () => {
        await stores.sql('DROP TRIGGER wait ON issued_coupons');
        await blocker.end();
        await database.close();
        await proxy[Symbol.asyncDispose]();
      };
      return { proxy, blocker, pid, failed, [Symbol.asyncDispose]: end };
    };

    it('says that it does not know when the answer was lost that comes after the commit', async () => {
      await using link = await heldUp();
      link.proxy.holdReplies();
      await link.blocker.query('SELECT pg_advisory_unlock(7)');
      await until(async () => (await stores.ledger.counts('42'))?.rows === 1);
      link.proxy.dropReplies();
      expect(await link.failed).toMatchObject({ code: 'LEDGER_REPLY_LOST', kind: 'unreachable' });
    });

    it('says that nothing came of it when PostgreSQL refused the commit', async () => {
      await using link = await heldUp();
      await stores.sql('SELECT pg_cancel_backend($1)', [link.pid]);
      expect(await link.failed).toMatchObject({ status: 'refused', scope: 'moment', reason: expect.stringMatching(/^57014 /) });
      expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 0, rows: 0 });
    });
  });

  it('takes the lock of a coupon from a worker that came to a stop in the middle of a transaction', async () => {
    const stopped = new Database(stores.databaseUrl, { statementTimeoutMs: 200 });
    let locked = false;
    let over = false;
    const ended = stopped
      .transaction(async (client) => {
        await client.query("SELECT 1 FROM coupons WHERE id = '42' FOR NO KEY UPDATE");
        locked = true;
        await until(() => over);
        await client.query('SELECT 1');
      })
      .catch((error: unknown) => stopped.explain(error));
    await until(() => locked);
    expect(await stores.ledger.issue('42', claimsOf(1, 1), { epoch, worker: 'w', timeoutMs: 30_000 })).toMatchObject({ status: 'ok' });
    over = true;
    expect(await ended).toMatchObject({ code: 'DATABASE_DOWN', kind: 'unreachable' });
    await stopped.close();
  });

  it('does not wait for ever for an answer that a silent link keeps, and comes back with the link', async () => {
    await using proxy = await openProxy(stores.databaseUrl);
    const database = new Database(proxy.through(stores.databaseUrl), { statementTimeoutMs: 100, poolSize: 1 });
    const ledger = ledgerIssued(database);
    expect(await ledger.counts('42')).toMatchObject({ issuedQuantity: 0, rows: 0 });
    proxy.holdReplies();
    await expect(ledger.counts('42')).rejects.toMatchObject({ code: 'DATABASE_DOWN' });
    proxy.releaseReplies();
    expect(await ledger.issue('42', claimsOf(1, 1), { epoch, worker: 'w', timeoutMs: 10_000 })).toMatchObject({ status: 'ok' });
    await database.close();
  });

  describe('tells rows as they are in the table', () => {
    afterEach(() => stores.sql('DROP TRIGGER IF EXISTS change ON issued_coupons'));

    it.each([
      ['nothing', 'NULL'],
      ['the time of use', "NEW.used_at := '2026-11-01T00:00:00Z'"],
      ['the revocation', "NEW.revoked_at := '2026-11-01T00:00:00Z'"],
      ['the worker', "NEW.worker := 'shop'"],
      ['the expiry', "NEW.expires_at := '2027-11-01T00:00:00.123Z'"],
      ['the time of issue', "NEW.issued_at := '2026-11-01T00:00:00Z'"],
      ['the request time', "NEW.requested_at := '2026-11-01T00:00:00Z'"],
      ['the exact request time', 'NEW.requested_us := NEW.requested_us + 5000000'],
      ['the claim', 'NEW.fence := 77'],
      ['the deliveries', 'NEW.deliveries := 77'],
    ])('where a trigger of the shop changes %s of one, or of all', async (_name, change) => {
      for (const [when, from] of [
        ["NEW.user_id = 'user-3'", 1],
        ['true', 11],
      ] as const) {
        await stores.sql(`
          CREATE OR REPLACE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF ${when} THEN ${change}; END IF; RETURN NEW; END $$;
          DROP TRIGGER IF EXISTS change ON issued_coupons;
          CREATE TRIGGER change BEFORE INSERT ON issued_coupons FOR EACH ROW EXECUTE FUNCTION change()`);
        const claims = claimsOf(from, from + 9);
        const result = await issue(claims);
        const there = await stores.ledger.rows(
          '42',
          claims.map(({ userId }) => userId),
        );
        expect(there).toHaveLength(10);
        expect(byUser(result.status === 'ok' ? (result.rows as LedgerRow[]) : [])).toEqual(byUser(there));
      }
    });
  });

  it('counts expiry from the time of issue', async () => {
    await stores.seed({ id: 'v', total: 5, expiry: { kind: 'after', ms: 86_400_000 } });
    const life = (await stores.ledger.coupon('v'))!.epoch;
    await stores.ledger.issue('v', claimsOf(1, 1), { epoch: life, worker: 'w', timeoutMs: 10_000 });
    const [row] = await stores.ledger.rows('v', ['user-1']);
    expect(row!.expiresAt!.getTime() - row!.issuedAt.getTime()).toBe(86_400_000);
  });

  it('pages by user id in byte order', async () => {
    const ids = ['b', 'B', 'a', '~', '!', 'a-1', 'a.1'];
    await issue(ids.map((userId, i) => ({ userId, score: T0 + i, fence: 1, deliveries: 1 })));
    const seen: string[] = [];
    for (let after = ''; ;) {
      const page = await stores.ledger.page('42', after, 3);
      if (page.length === 0) break;
      seen.push(...page.map((row) => row.userId));
      after = seen.at(-1)!;
    }
    expect(seen).toEqual(ids.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
  });

  describe('use', () => {
    const use = (useId: string) => stores.ledger.use('42', 'user-1', useId, 'plain');
    beforeEach(() => issue(claimsOf(1, 1)));

    it('works once, and again under the same use id', async () => {
      const first = await use('a');
      expect(first).toMatchObject({ status: 'used', repeated: false });
      expect(await use('a')).toMatchObject({ status: 'used', repeated: true });
      expect(await use('b')).toMatchObject({ status: 'already_used' });
    });

    it('lets one of many at once win', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, i) => use(`u${i}`)));
      expect(results.filter((result) => result.status === 'used')).toHaveLength(1);
    });

    it('is refused when expired, revoked, or never issued', async () => {
      await stores.sql(`UPDATE issued_coupons SET expires_at = now() - interval '1 day'`);
      expect(await use('a')).toMatchObject({ status: 'expired' });
      await stores.sql(`UPDATE issued_coupons SET revoked_at = now()`);
      expect(await use('a')).toMatchObject({ status: 'revoked' });
      expect(await stores.ledger.use('42', 'nobody', 'a', 'plain')).toEqual({ status: 'not_issued' });
    });
  });
});
