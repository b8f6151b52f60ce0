import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runToEnd, start } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

/** So many that none of the drains gets to the end of them before it is killed. */
const USERS = 40_000;
const KILLS = 5;
/** Five audits of them, and as many starts; a busy machine takes its time. */
const PATIENCE_MS = 300_000;

describe('a drain that is killed', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  const audit = async () => {
    const result = await runToEnd([...at(stores), '--json', 'audit', 'big']);
    const report = JSON.parse(result.stdout) as { findings: unknown[]; coupons: { issued: number; inFlight: number }[] };
    return { exitCode: result.exitCode, findings: report.findings, coupon: report.coupons[0]! };
  };
  const rows = async () => Number((await stores.sql('SELECT count(*) FROM issued_coupons'))[0]!['count']);

  it(
    'five times in the middle of 40,000 waiting users loses nobody and issues nobody twice',
    async () => {
      await stores.seed({ id: 'big', total: USERS });
      const submitted = await runToEnd([...at(stores), '--json', 'submit', 'big', '--users', String(USERS), '--concurrency', '500']);
      expect(JSON.parse(submitted.stdout)).toMatchObject({ outcomes: { accepted: USERS } });

      const inFlight: number[] = [];
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = await rows();
        const drain = start([...at(stores), '--quiet', 'drain', '--eager', '--batch', '200', '--lease', '1s']);
        await until(async () => (await rows()) > before + 400 * kill);
        drain.child.kill('SIGKILL');
        expect((await drain.finished).signal).toBe('SIGKILL');
        const now = await audit();
        expect(now).toMatchObject({ exitCode: 0, findings: [] });
        inFlight.push(now.coupon.inFlight);
      }
      expect(await rows()).toBeLessThan(USERS);

      const rest = await runToEnd([
        ...at(stores),
        '--json',
        'drain',
        'big',
        '--until-empty',
        '--eager',
        '--batch',
        '1000',
        '--interval',
        '200ms',
      ]);
      expect(rest.exitCode).toBe(0);
      expect(await stores.ledger.counts('big')).toMatchObject({ issuedQuantity: USERS, rows: USERS });
      expect(await audit()).toMatchObject({ exitCode: 0, findings: [], coupon: { issued: USERS, inFlight: 0 } });
      const [order] = await stores.sql(
        `SELECT count(*) AS inversions FROM (
         SELECT requested_us < lag(requested_us) OVER (ORDER BY fence, requested_us) AS inverted FROM issued_coupons WHERE deliveries = 1
       ) pairs WHERE inverted`,
      );
      expect(order).toEqual({ inversions: '0' });
    },
    PATIENCE_MS,
  );

  it('with SIGTERM finishes its batch, gives the rest back and ends with 0', async () => {
    await stores.clear();
    await stores.seed({ id: 'big', total: USERS });
    await runToEnd([...at(stores), 'submit', 'big', '--users', String(USERS), '--concurrency', '500']);
    const drain = start([...at(stores), 'drain', '--eager', '--batch', '100']);
    await until(async () => (await rows()) > 200);
    drain.child.kill('SIGTERM');
    expect(await drain.finished).toMatchObject({ exitCode: 0, signal: null });
    const issued = await rows();
    expect(issued).toBeLessThan(USERS);
    expect(await stores.claims.backlog('big')).toEqual({ waiting: USERS - issued, claimed: 0 });
  });
});
