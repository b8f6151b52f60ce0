import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { SALE_STATES } from '../../../../src/campaign/sale-state.ts';
import type { LiveView } from '../../../../src/operate/live/live-view.ts';
import { at, cli, type CliOptions, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

describe('coupon-cli top', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (argv: string[], options: CliOptions = {}) => cli(['top', ...argv, ...at(stores)], options);
  const admit = (id: string, ...userIds: string[]) =>
    stores.admission.admit(
      id,
      userIds.map((userId) => ({ userId, requestId: 'r' })),
    );

  /** Until so many frames were written. */
  const watch = async (argv: string[], frames: number, options: CliOptions = {}): Promise<CliResult> => {
    let send: (signal: StopSignal) => void = () => undefined;
    let left = frames;
    return await run(['--interval', '250ms', ...argv], {
      ...options,
      onListen: (to) => (send = to),
      onStdout: () => {
        left -= 1;
        if (left === 0) send('SIGTERM');
      },
    });
  };

  it('--once prints one frame, with the rates of one interval, who holds users, and no control sequences', async () => {
    await stores.seed({ id: 'sale', name: '여름맞이 쿠폰' });
    await admit('sale', 'a', 'b', 'c');
    const { epoch } = (await stores.ledger.coupon('sale'))!;
    await stores.claims.claim('sale', { epoch, limit: 2, leaseMs: 30_000, worker: 'host-1' });
    const { exitCode, stdout, stderr } = await run(['--once', '--interval', '250ms'], {
      tty: true,
      columns: 100,
      rows: 30,
      vars: { NO_COLOR: '1' },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^sale +여름맞이 쿠폰 +open +97 +1 +2 +.+ 0 +▁ +0 +▁ +never$/m);
    expect(stdout).toMatch(/^host-1 +2 +\d+ s +– +sale$/m);
    expect(stdout).not.toContain('\u001b');
  });

  it('off a terminal prints frames until a signal, also with --json, one object a line', async () => {
    await stores.seed({ id: 'sale' });
    const text = await watch([], 2);
    expect(text).toMatchObject({ exitCode: 0 });
    expect(text.stdout.match(/^COUPON/gm)).toHaveLength(2);
    expect(text.stdout).not.toContain('\u001b');
    const json = await watch(['--json'], 3);
    const views = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LiveView);
    expect(views.map(({ coupons }) => coupons[0]!.history.accepted.length)).toEqual([0, 1, 2]);
  });

  it('on a terminal takes the screen and gives it back', async () => {
    await stores.seed({ id: 'sale' });
    const { exitCode, stdout, stderr } = await watch([], 3, { tty: true, columns: 80, rows: 10, vars: { NO_COLOR: '1' } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.startsWith('\u001b[?1049h')).toBe(true);
    expect(stdout.endsWith('\u001b[?1049l')).toBe(true);
    // No colour, only where things go.
    expect(stdout).not.toMatch(/\[\d+m/);
    expect((await watch([], 1, { tty: true, vars: { TERM: 'dumb' } })).stdout).not.toContain('\u001b');
  });

  it('--state shows some states alone', async () => {
    await stores.seed({ id: 'a' });
    await stores.seed({ id: 'b', total: 0 });
    await stores.seed({ id: 'c', opensAt: new Date('2100-01-01T00:00:00Z') });
    const shown = async (states: string): Promise<string[]> => {
      const view = (await run(['--once', '--interval', '250ms', '--json', '--state', states])).json<LiveView>();
      return view.coupons.map(({ couponId, state }) => `${couponId} ${state}`);
    };
    expect(await shown('open')).toEqual(['a open']);
    expect(await shown('sold-out,Scheduled')).toEqual(['c scheduled', 'b sold_out']);
    expect(await shown(SALE_STATES.join(' '))).toHaveLength(3);
  });

  it.each([
    [['--interval', '10ms'], 'Use at least 250ms'],
    [['--interval', 'soon'], 'is not a duration'],
    [['--state', 'opne'], 'did you mean "open"?'],
    [['--time-zone', 'Mars/Phobos'], 'is no time zone'],
    [['sale'], 'too many arguments'],
  ])('refuses %j with 2', async (argv, text) => {
    const { exitCode, stdout, stderr } = await run(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  it('tells the time in the zone of the settings', async () => {
    expect((await run(['--once', '--interval', '250ms', '--time-zone', 'Asia/Seoul'])).stdout).toMatch(/^.* Asia\/Seoul$/m);
  });

  it('ends with 3 when a store is away at the start, and leaves the terminal alone', async () => {
    const result = await cli(['top', '--redis-url', 'redis://127.0.0.1:1', '--database-url', stores.databaseUrl], { tty: true });
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
  });
});
