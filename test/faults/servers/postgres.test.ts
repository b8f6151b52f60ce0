import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { startPostgres, type FaultPostgres } from './postgres.ts';
import { findCompiler } from './shims.ts';

describe('a PostgreSQL to break', () => {
  let postgres: FaultPostgres;
  let pool: pg.Pool;
  beforeAll(async () => {
    postgres = await startPostgres({ diskBytes: 256 << 20 });
    pool = new pg.Pool({ connectionString: postgres.url });
    pool.on('error', () => undefined);
    await pool.query('CREATE TABLE counted (number integer PRIMARY KEY)');
  });
  afterAll(async () => {
    await pool.end();
    await postgres[Symbol.asyncDispose]();
  });
  const highest = async (): Promise<number> =>
    (await pool.query<{ highest: number }>('SELECT coalesce(max(number), 0) AS highest FROM counted')).rows[0]!.highest;
  const insert = (number: number): Promise<unknown> => pool.query('INSERT INTO counted VALUES ($1)', [number]);

  it('comes back from a kill of its postmaster with everything that was committed', async () => {
    let committed = await highest();
    const lost = (async () => {
      for (;;) {
        await insert(committed + 1);
        committed += 1;
      }
    })().catch(() => undefined);
    await until(() => committed >= 50);
    await postgres.kill();
    expect(postgres.running).toBe(false);
    await lost;
    await postgres.start();
    expect(await highest()).toBeGreaterThanOrEqual(committed);
  });

  it('goes back to an older backup', async () => {
    const before = await highest();
    await postgres.backup();
    await insert(before + 1);
    expect(await highest()).toBe(before + 1);
    await postgres.restoreBackup();
    expect(await highest()).toBe(before);
  });

  it.skipIf(findCompiler() === null)('commits as slowly as its disk syncs', async () => {
    expect(postgres.withoutShims).toBeNull();
    const next = (await highest()) + 1;
    postgres.setFsyncDelay(50);
    const began = performance.now();
    for (let number = next; number < next + 4; number += 1) await insert(number);
    postgres.setFsyncDelay(0);
    expect(performance.now() - began).toBeGreaterThanOrEqual(4 * 50);
  });
});
