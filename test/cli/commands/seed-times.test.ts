import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEndpoint } from '../../support/endpoint.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

let count = 0;
function seed(flags: string[], vars: Record<string, string> = {}): Promise<CliResult> {
  count += 1;
  return cli([...at(stores), 'seed', `c${count}`, '--name', 'X', '--stock', '5', ...flags], { vars });
}

describe('a window that is odd is seeded with a warning', () => {
  test.each([
    [['--closes-at', '2020-01-01T00:00:00Z'], /closed .* ago: no request for it is taken/],
    [['--opens-at', 'in 1h', '--closes-at', 'in 1h30s'], /is open for 30 s only/],
    [['--opens-at', '2020-01-01T00:00:00Z'], /opened .* ago: requests for it are taken at once/],
    [['--opens-at', '2020-01-01T00:00:00Z', '--closes-at', '2020-01-02T00:00:00Z'], /closed .* ago/],
    [['--expires-at', '2020-01-01T00:00:00Z'], /expired .* ago: what is issued cannot be used/],
  ])('%s', async (flags, words) => {
    const { exitCode, stderr } = await seed(flags);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(words) });
  });

  test('one that is not is seeded without', async () => {
    const { exitCode, stderr } = await seed(['--opens-at', 'in 1h', '--closes-at', 'in 2h', '--valid-for', '30d']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^c6: opens \S+ \S+ UTC \(in 1 h\), closes \S+ \S+ UTC \(in 2 h\)\n$/);
  });
});

describe('a window that a change makes odd is told with a warning, and one that was so before is not', () => {
  const ODD: [string[], RegExp][] = [
    [['--closes-at', '2020-01-01T00:00:00Z'], /closed .* ago: no request for it is taken/],
    [['--opens-at', 'in 1h', '--closes-at', 'in 1h30s'], /is open for 30 s only/],
    [['--expires-at', '2020-01-01T00:00:00Z'], /expired .* ago: what is issued cannot be used/],
  ];

  test.each(ODD)('extend %s', async (times, words) => {
    await seed([]);
    for (const more of [['--dry-run'], []]) {
      const { exitCode, stderr } = await cli([...at(stores), 'extend', `c${count}`, ...times, ...more]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(words) });
    }
    expect(await cli([...at(stores), 'extend', `c${count}`, '--valid-for', '5d'])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([
    ['closesAt: 2020-01-01T00:00:00Z', /closed .* ago: no request for it is taken/],
    ['expiresAt: 2020-01-01T00:00:00Z', /expired .* ago: what is issued cannot be used/],
  ])('edit with %s', async (time, words) => {
    await seed([]);
    const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'event.yaml');
    writeFileSync(file, `coupons: [{ id: c${count}, name: X, total: 5, ${time} }]`);
    for (const more of ['--dry-run', '--confirm']) {
      const { exitCode, stderr } = await cli([...at(stores), 'edit', '--file', file, more]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(words) });
    }
    expect((await cli([...at(stores), 'edit', '--file', file, '--confirm'])).stderr).not.toContain('ago');
  });
});

describe('a time without a zone', () => {
  test('is refused, and told how it is written', async () => {
    for (const time of ['2099-12-24', '2099-12-24 10:00']) {
      const { exitCode, stderr } = await seed(['--opens-at', time]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--time-zone Asia/Seoul') });
    }
  });

  test('is meant in the zone of the flag or the settings, and told back in it', async () => {
    const opens = async (): Promise<string | undefined> => (await stores.redis.hget(`coupon:c${count}`, 'opens_at'))!;
    for (const [flags, vars] of [
      [['--time-zone', 'Asia/Seoul'], {}],
      [[], { COUPON_TIME_ZONE: 'Asia/Seoul' }],
    ] as const) {
      const { exitCode, stderr } = await seed(['--opens-at', '2099-12-24 10:00', ...flags], vars);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('opens 2099-12-24 10:00:00 Asia/Seoul') });
      expect(await opens()).toBe('2099-12-24T01:00:00.000Z');
    }
    const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'event.yaml');
    writeFileSync(file, 'coupons: [{ id: by-file, name: X, total: 1, opensAt: 2099-12-24 10:00 }]');
    expect((await cli([...at(stores), 'seed', '--file', file])).exitCode).toBe(2);
    expect((await cli([...at(stores), 'seed', '--file', file, '--time-zone', 'Asia/Seoul'])).exitCode).toBe(0);
    expect(await stores.redis.hget('coupon:by-file', 'opens_at')).toBe('2099-12-24T01:00:00.000Z');
    expect((await seed(['--time-zone', 'Mars/Base'])).exitCode).toBe(2);
  });
});

describe('a user id that is a number', () => {
  test('is its decimal text; one that would be rounded is refused in words', async () => {
    await stores.seed({ id: 'numbers', total: 9 });
    await using server = await openEndpoint(stores);
    const ask = (userId: unknown) => server.post('/coupons/numbers/requests', { userId });
    expect(await ask(17)).toMatchObject({ status: 202, body: { userId: '17' } });
    expect(await ask('17')).toMatchObject({ status: 409 });
    expect(await ask(-3)).toMatchObject({ status: 202, body: { userId: '-3' } });
    expect(await ask(2 ** 53)).toMatchObject({ status: 400, body: { detail: expect.stringContaining('beyond 2^53') } });
    for (const wrong of [1.5, true, null, ['a'], {}])
      expect(await ask(wrong)).toMatchObject({ status: 400, body: { detail: 'userId must be a text or a whole number' } });
    expect(await stores.redis.zrange('coupon_waiting_queue:numbers', 0, '-1')).toEqual(['17', '-3']);
  });
});
