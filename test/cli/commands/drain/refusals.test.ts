import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

describe('drain, where a trigger of the database’s own refuses', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores()));
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.sql('DROP FUNCTION IF EXISTS veto CASCADE');
    await stores.clear();
    for (const id of ['pa', 'pb']) await run('seed', id, '--name', id, '--stock', '10');
  });

  const run = (...argv: string[]) => cli([...at(stores), ...argv]);
  const veto = async (when: string) => {
    await stores.sql(`CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${when} THEN RAISE EXCEPTION 'user is banned'; END IF; RETURN NEW; END $$`);
    await stores.sql('CREATE TRIGGER veto BEFORE INSERT ON issued_coupons FOR EACH ROW EXECUTE FUNCTION veto()');
  };
  const submit = (id: string, ...more: string[]) => run('submit', id, ...more);
  const issued = async (id: string) => (await stores.ledger.counts(id))?.rows;

  it('one user: dead-letters that user with the text, issues everybody else, and ends with 0', async () => {
    await veto("NEW.user_id = 'banned'");
    await submit('pa', '--user', 'banned');
    await submit('pa', '--users', '3', '--prefix', 'ok-');
    await submit('pb', '--users', '3');
    const result = await run('drain', 'pa', 'pb', '--until-empty', '--json');
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('P0001 user is banned') });
    expect(result.json()).toMatchObject({ issued: 6, dead: 1 });
    expect((await run('dead', 'list', 'pa')).stdout).toMatch(/banned.*P0001 user is banned/);
    expect((await run('audit')).exitCode).toBe(0);
  });

  it('everybody of one coupon: skips it with the reason, dead-letters nobody, issues the others, and ends with 1', async () => {
    await veto("NEW.coupon_id = 'pa'");
    await submit('pa', '--users', '3');
    await submit('pb', '--users', '3');
    const result = await run('drain', '--until-empty');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('coupon pa is skipped: the ledger refuses every user that was tried: P0001 user is banned');
    expect(result.stderr).toContain('LEDGER_REFUSES');
    expect([await issued('pa'), await issued('pb')]).toEqual([0, 3]);
    expect(await stores.claims.backlog('pa')).toEqual({ waiting: 3, claimed: 0 });
    expect((await run('drain', '--once')).exitCode).toBe(1);
    await stores.sql('DROP FUNCTION veto CASCADE');
    expect((await run('drain', '--until-empty')).exitCode).toBe(0);
    expect(await issued('pa')).toBe(3);
    expect((await run('audit')).exitCode).toBe(0);
  });

  it('in operation: goes on, says it once, as JSON too, and shows the coupon in the metrics until it is mended', async () => {
    await veto("NEW.coupon_id = 'pa'");
    await submit('pa', '--users', '2');
    await submit('pb', '--users', '2');
    let send: (signal: StopSignal) => void = () => undefined;
    let [stdout, stderr] = ['', ''];
    const running = cli([...at(stores), '--json', 'drain', '--interval', '50ms', '--health-port', '0'], {
      onListen: (listener) => void (send = listener),
      onStdout: (text) => void (stdout += text),
      onStderr: (text) => void (stderr += text),
    });
    const lines = () =>
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { event: string; url?: string });
    await until(() => lines().some((line) => line.event === 'skipped'));
    expect(lines()).toContainEqual(
      expect.objectContaining({ event: 'skipped', couponId: 'pa', skipped: 'refused', reason: 'P0001 user is banned' }),
    );
    await until(async () => (await issued('pb')) === 2);
    const metrics = async () => (await fetch(`${lines().find((line) => line.url)!.url}/metrics`)).text();
    await until(async () => (await metrics()).includes('coupon_drain_skipped{coupon="pa",reason="refused"} 1'));
    await stores.sql('DROP FUNCTION veto CASCADE');
    await until(async () => (await issued('pa')) === 2);
    await until(async () => !(await metrics()).includes('coupon_drain_skipped{'));
    send('SIGTERM');
    expect((await running).exitCode).toBe(0);
    expect(stderr.match(/coupon pa is skipped/g)).toHaveLength(1);
    expect(stderr).toContain('coupon pa is being drained again');
  });
});
