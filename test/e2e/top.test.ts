/** `coupon-cli top` in a real terminal, on stores that go away, and with a million waiting users. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { widthOf } from '../../src/lib/text/width.ts';
import { at, cli } from '../support/run-cli.ts';
import { extraRedis, type ExtraRedis } from '../support/extra-redis.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import { openTerminal, tmux, type TestTerminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

describe.skipIf(tmux === null)('top in a real terminal', () => {
  const seedAll = async (count: number): Promise<void> => {
    await stores.seed({ id: 'summer', name: '여름맞이 쿠폰', total: 500 });
    for (let i = 1; i < count; i += 1) await stores.seed({ id: `coupon-${String(i).padStart(2, '0')}`, name: `Number ${i}` });
  };
  const open = (size = { columns: 100, rows: 24 }, from = at(stores)): Promise<TestTerminal> =>
    openTerminal(['top', '--interval', '250ms', ...from], size);
  const givenBack = async (terminal: TestTerminal): Promise<void> => {
    expect(await terminal.shows(/ended with 0/)).toContain('before');
    expect(await terminal.state()).toEqual({ alternate: false, cursor: true });
  };

  it('shows what changes, and fits the terminal after each resize', async () => {
    await seedAll(30);
    await using terminal = await open();
    await terminal.shows(/^coupon-01 +Number 1 +open +100 +0 /m);
    expect(await terminal.state()).toEqual({ alternate: true, cursor: false });
    await stores.admission.admit('summer', [{ userId: 'a', requestId: 'r' }]);
    await terminal.shows(/^summer +여름맞이 (쿠폰|…) +open +499 +1 /m);
    for (const [columns, rows] of [
      [80, 24],
      [40, 12],
      [130, 25],
    ] as const) {
      await terminal.resize(columns, rows);
      const foot = new RegExp(`^(?:.*\\n){${rows - 1}}coupons 1–\\d+ of 30; q quit, ↑↓ scroll\\n$`);
      const screen = await terminal.shows(foot);
      const lines = screen.split('\n').slice(0, rows);
      expect(lines).toHaveLength(rows);
      expect(lines.at(-1)).toMatch(/^coupons 1–/);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
    await terminal.press('End');
    await terminal.shows(/^coupons \d+–30 of 30;/m);
    await terminal.press('Home', 'Down', 'Down');
    await terminal.shows(/^coupons 3–/m);
    await terminal.press('q');
    await givenBack(terminal);
  });

  it.each(['C-c', 'q'])('gives the terminal back on %s', async (key) => {
    await seedAll(1);
    await using terminal = await open();
    await terminal.shows(/^summer/m);
    await terminal.press(key);
    await givenBack(terminal);
    expect((await terminal.state()).alternate).toBe(false);
  });

  it('gives the terminal back on SIGTERM, and on SIGINT from elsewhere', async () => {
    await seedAll(1);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using terminal = await open();
      await terminal.shows(/^summer/m);
      process.kill(await terminal.pid(), signal);
      await givenBack(terminal);
      expect((await terminal.state()).alternate).toBe(false);
    }
  });

  it('ends when the terminal is closed', async () => {
    await seedAll(1);
    await using terminal = await open();
    await terminal.shows(/^summer/m);
    const pid = await terminal.pid();
    await terminal.hangUp();
    await until(() => !isRunning(pid));
    expect(isRunning(pid)).toBe(false);
  });

  it('gives the terminal back before it tells an error', async () => {
    await seedAll(1);
    await using terminal = await open();
    await terminal.shows(/^summer/m);
    await stores.sql('ALTER TABLE coupons RENAME TO taken_away');
    try {
      await terminal.shows(/SCHEMA_MISSING[^]*ended with 2/);
      expect(await terminal.state()).toEqual({ alternate: false, cursor: true });
    } finally {
      await stores.sql('ALTER TABLE taken_away RENAME TO coupons');
    }
  });

  it('Ctrl+Z stops it, and it draws again when it goes on', async () => {
    await seedAll(1);
    await using terminal = await open();
    await terminal.shows(/^summer/m);
    await terminal.press('C-z');
    await terminal.shows(/Stopped/);
    expect(await terminal.state()).toEqual({ alternate: false, cursor: true });
    await terminal.press('fg', 'Enter');
    await terminal.shows(/^summer/m);
    expect(await terminal.state()).toEqual({ alternate: true, cursor: false });
  });

  it('tells a store that is away, and comes back with it', async () => {
    await seedAll(1);
    await using proxy = await openProxy(stores.redisUrl);
    const from = at({ redisUrl: proxy.through(stores.redisUrl), databaseUrl: stores.databaseUrl });
    await using terminal = await open({ columns: 100, rows: 24 }, from);
    await terminal.shows(/^summer/m);
    await proxy.cut();
    await terminal.shows(/^Redis is away, its figures are of .* ago: .*^summer/ms);
    await proxy.restore();
    await until(async () => !/is away/.test(await terminal.shows(/^summer/m)));
    // Held up, not refused: the frame goes on without it.
    proxy.holdReplies();
    await terminal.shows(/^Redis is away, .*no answer for 3 s/m);
    proxy.releaseReplies();
    await until(async () => !/is away/.test(await terminal.shows(/^summer/m)));
    expect((await terminal.state()).alternate).toBe(true);
  });
});

describe('the calls of a look', () => {
  let own: ExtraRedis;
  beforeAll(async () => {
    own = await extraRedis();
  });
  afterAll(() => own[Symbol.asyncDispose]());

  it('are as many with a million waiting users as with a thousand', { timeout: 300_000 }, async () => {
    const redis = new Redis(own.url);
    const where = at({ redisUrl: own.url, databaseUrl: stores.databaseUrl });
    const ids = Array.from({ length: 10 }, (_, i) => `c${i}`);
    for (const id of ids) expect(await cli(['seed', id, '--name', 'Test', '--stock', '1000000', ...where])).toMatchObject({ exitCode: 0 });
    const load = async (each: number): Promise<void> => {
      for (const id of ids) {
        const script = `for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], 1.7e15 + i, 'u' .. i) end return redis.call('ZCARD', KEYS[1])`;
        expect(await redis.eval(script, 1, `coupon_waiting_queue:${id}`, each)).toBe(each);
      }
    };
    /** What Redis ran for one look: by command, also within scripts. */
    const calls = async (): Promise<Record<string, number>> => {
      const count = async (): Promise<Record<string, number>> => {
        // A link asks with INFO whom it has found, whenever it likes.
        const found = [...(await redis.info('commandstats')).matchAll(/^cmdstat_(?!info:)(\S+):calls=(\d+)/gm)];
        return Object.fromEntries(found.map(([, name, n]) => [name!, Number(n)]));
      };
      const looks = async (frames: number): Promise<Record<string, number>> => {
        await redis.config('RESETSTAT');
        let left = frames;
        let stop: (signal: 'SIGTERM') => void = () => undefined;
        const { exitCode } = await cli(['top', '--json', '--interval', '250ms', ...where], {
          onListen: (send) => (stop = send),
          onStdout: () => void ((left -= 1) === 0 && stop('SIGTERM')),
        });
        expect(exitCode).toBe(0);
        return await count();
      };
      // What opening takes is in both.
      const [two, one] = [await looks(2), await looks(1)];
      return Object.fromEntries(
        Object.keys(two).flatMap((name) => (two[name] === one[name] ? [] : [[name, two[name]! - (one[name] ?? 0)]])),
      );
    };
    await load(100);
    const few = await calls();
    await load(100_000);
    expect(await calls()).toEqual(few);
    expect(few).toMatchObject({ zcard: 30, hgetall: 10, time: 1, smembers: 1 });
    redis.disconnect();
  });
});
