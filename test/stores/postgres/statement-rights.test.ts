import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATEMENT_RIGHTS } from '../../../src/stores/postgres/statement-rights.ts';
import { statement, type StatementName } from '../../../src/stores/postgres/statements.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const role = `rights_${randomUUID().slice(0, 8)}`;
const TABLES = 'coupons, issued_coupons, coupon_ended_epochs, operator_log, coupon_migrations';

describe('the rights of a statement', () => {
  let stores: TestStores;
  let client: pg.Client;
  beforeAll(async () => {
    stores = await openStores();
    client = new pg.Client({ connectionString: stores.databaseUrl });
    await client.connect();
    await client.query(`CREATE ROLE ${role}`);
  });
  afterAll(async () => {
    await client.query(`DROP OWNED BY ${role}`);
    await client.query(`DROP ROLE ${role}`);
    await client.end();
    await stores[Symbol.asyncDispose]();
  });

  const grant = async (name: StatementName, left: (table: string, verb: string) => boolean): Promise<void> => {
    await client.query(`REVOKE ALL ON ${TABLES} FROM ${role}`);
    for (const [table, verbs] of Object.entries(STATEMENT_RIGHTS[name])) {
      const kept = verbs.split(' ').filter((verb) => left(table, verb));
      if (kept.length > 0) await client.query(`GRANT ${kept.join(', ')} ON ${table} TO ${role}`);
    }
  };
  /** PostgreSQL looks at rights when it begins to run a statement, and a plan is a beginning without an end. */
  const run = async (name: StatementName): Promise<string> => {
    const text = statement(name).text;
    const count = Math.max(0, ...[...text.replace(/^--.*$/gm, '').matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    const values = Array.from({ length: count }, () => 'NULL').join(', ');
    await client.query(`SET ROLE ${role}`);
    try {
      await client.query(`PREPARE looked AS ${text}`);
      await client.query(`EXPLAIN EXECUTE looked${count > 0 ? ` (${values})` : ''}`);
      return 'ok';
    } catch (error) {
      return `${(error as { code: string }).code} ${(error as Error).message}`;
    } finally {
      await client.query('RESET ROLE');
      await client.query('DEALLOCATE ALL');
    }
  };

  it.each(Object.keys(STATEMENT_RIGHTS) as StatementName[])('%s are enough, and none is too many', async (name) => {
    await grant(name, () => true);
    expect(await run(name)).toBe('ok');
    for (const [table, verbs] of Object.entries(STATEMENT_RIGHTS[name])) {
      for (const verb of verbs.split(' ')) {
        await grant(name, (one, other) => one !== table || other !== verb);
        expect(await run(name), `${name} without ${verb} on ${table}`).toBe(`42501 permission denied for table ${table}`);
      }
    }
  });
});
