import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueWaiting } from '../../support/issue.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.clear();
  await stores.seed({ id: 'sale', opensAt: new Date('2026-01-01T00:00:00Z') });
  await stores.admission.admit('sale', [
    { userId: 'kim', requestId: 'r' },
    { userId: 'lee', requestId: 'r' },
  ]);
  await issueWaiting(stores, 'sale');
  await stores.admission.admit('sale', [{ userId: 'waiting', requestId: 'r' }]);
  await run(['extend', 'sale', '--closes-at', '2099-01-01T00:00:00Z']);
  await run(['revoke', 'sale', 'lee', '--reason', 'test']);
});
afterAll(() => stores[Symbol.asyncDispose]());

const run = (argv: string[], more: object = {}) => cli([...argv, ...at(stores)], more);
const SEOUL = { COUPON_TIME_ZONE: 'Asia/Seoul' };
const UTC = /\d{4}-\d\d-\d\dT[\d:.]+Z/;
const IN_SEOUL = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Asia\/Seoul/;

describe('times are told in the zone that was chosen, with its name', () => {
  it.each([
    [['inspect', 'coupon', 'sale']],
    [['inspect', 'queue', 'sale']],
    [['inspect', 'issued', 'sale', '--wide']],
    [['inspect', 'user', 'sale', 'lee']],
    [['log', '--wide']],
    [['use', 'sale', 'lee']],
    [['revoke', 'sale', 'lee', '--reason', 'again']],
    [['extend', 'sale', '--closes-at', '2099-01-02T00:00:00Z']],
  ])('%j', async (argv) => {
    const { stdout, stderr } = await run(argv, { tty: true, columns: 200, vars: SEOUL });
    expect(stdout + stderr).toMatch(IN_SEOUL);
    // What the hash holds is shown as it is.
    expect((stdout + stderr).replaceAll(/^hash .*$/gm, '')).not.toMatch(UTC);
  });

  it('by the flag, too', async () => {
    const { stdout } = await run(['inspect', 'coupon', 'sale', '--time-zone', 'Asia/Seoul'], { tty: true, columns: 200 });
    expect(stdout).toContain('from 2026-01-01 09:00:00 Asia/Seoul until');
  });

  it.each([[['inspect', 'issued', 'sale']], [['log']], [['inspect', 'coupon', 'sale', '--json']], [['export', 'sale', '--format', 'csv']]])(
    'but %j is read by other programs: UTC',
    async (argv) => {
      const { stdout } = await run(argv, { vars: SEOUL });
      expect(stdout).toMatch(UTC);
      expect(stdout).not.toContain('Seoul');
    },
  );

  it('is refused when there is no such zone, before anything is done', async () =>
    expect(await run(['log'], { vars: { COUPON_TIME_ZONE: 'Mars/Phobos' } })).toMatchObject({ exitCode: 2, stdout: '' }));
});
