import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../../src/cli/env.ts';
import { at, cli, type CliOptions } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const MIGRATIONS = readdirSync(new URL('../../../src/stores/postgres/migrations/', import.meta.url))
  .map((file) => file.replace('.sql', ''))
  .toSorted();

/** Sends one signal as soon as the command has printed something. */
function stopAtFirstOutput(signal: StopSignal): CliOptions {
  let send: ((signal: StopSignal) => void) | undefined;
  return {
    onListen: (listener) => {
      send = listener;
    },
    onStdout: () => {
      send?.(signal);
      send = undefined;
    },
  };
}

describe('on the command line', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (...argv: string[]) => cli([...at(stores), ...argv]);
  const admit = (id: string, count: number) =>
    stores.admission.admit(
      id,
      Array.from({ length: count }, (_, i) => ({ userId: `user-${i + 1}`, requestId: 'r' })),
    );

  describe('migrate', () => {
    it('two at once do it once; again does nothing', async () => {
      await using bare = await openStores({ migrated: false });
      const migrate = () => cli([...at(bare), '--json', 'migrate']);
      const both = await Promise.all([migrate(), migrate()]);
      expect(both.map((result) => result.exitCode)).toEqual([0, 0]);
      const applied = both.flatMap((result) => result.json<{ applied: string[] }>().applied);
      expect(applied.toSorted()).toEqual(MIGRATIONS);
      expect((await migrate()).json()).toEqual({ applied: [], pending: [] });
    });

    it('shows what it would do without doing it', async () => {
      await using bare = await openStores({ migrated: false });
      const dry = await cli([...at(bare), 'migrate', '--dry-run', '--show-sql']);
      expect(dry.stdout).toContain('CREATE TABLE coupons');
      expect(dry.stdout).toContain('would apply: 0001_ledger');
      expect((await cli([...at(bare), 'migrate', '--dry-run'])).stdout).toContain('0001_ledger');
    });

    it('of an empty database names the next step, and no step where all was there', async () => {
      await using bare = await openStores({ migrated: false });
      const migrate = () => cli([...at(bare), 'migrate']);
      expect((await migrate()).stdout).toMatch(/^applied: 0001_ledger[^]*\nNext: coupon-cli seed ID --name NAME --stock N\n$/);
      expect((await migrate()).stdout).toBe('the schema is up to date\n');
    });
  });

  describe('seed', () => {
    it('says what it did, in words and as JSON', async () => {
      const first = await run('seed', '42', '--name', '여름맞이 쿠폰', '--stock', '100');
      expect(first).toMatchObject({ exitCode: 0, stderr: '' });
      expect(first.stdout).toBe('✔ coupon 42: seeded, 100 in stock\n');
      const again = await run('seed', '42', '--name', '여름맞이 쿠폰', '--stock', '100', '--json');
      expect(again.json()).toEqual({ coupons: [{ couponId: '42', outcome: 'unchanged', total: 100 }] });
      expect(await stores.redis.hmget('coupon:42', 'name', 'total', 'stock')).toEqual(['여름맞이 쿠폰', '100', '100']);
    });

    it('reads the coupons of an event file, or of standard input', async () => {
      const text = 'coupons:\n  - {id: 7, name: Seven, total: 5, validFor: 30d}\n  - {id: b, name: B, total: 0}\n';
      const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'event.yaml');
      writeFileSync(path, text);
      expect((await run('seed', '--file', path)).exitCode).toBe(0);
      const again = await cli([...at(stores), '--json', 'seed', '--file', '-'], { stdin: text });
      expect(again.json()).toMatchObject({ coupons: [{ couponId: '7', outcome: 'unchanged' }, { couponId: 'b' }] });
    });

    it('--dry-run changes nothing', async () => {
      const dry = await run('seed', '42', '--name', 'x', '--stock', '5', '--dry-run');
      expect(dry.stdout).toBe('coupon 42: would be seeded, 5 in stock; nothing was changed\n');
      expect(await stores.redis.dbsize()).toBe(0);
    });

    it('--reset --confirm starts over', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '5');
      await admit('42', 5);
      await run('drain', '--until-empty', '--interval', '0s');
      const reset = await run('seed', '42', '--name', 'x', '--stock', '9', '--reset', '--confirm', '42');
      expect(reset.stdout).toBe('✔ coupon 42: seeded, 9 in stock (after deleting 5 issued)\n');
      expect(await stores.redis.keys('issued_coupon:*')).toEqual([]);
    });

    it('--reset refuses stores on another host unless it is named', async () => {
      const argv = ['--redis-url', 'redis://redis.internal', '--database-url', stores.databaseUrl];
      const result = await cli([...argv, 'seed', '42', '--name', 'x', '--stock', '9', '--reset', '--confirm', '42']);
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain('--allow-target redis.internal');
    });
  });

  describe('drain', () => {
    it('--once issues exactly one batch, the earliest', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '300');
      await admit('42', 250);
      const once = await run('drain', '--once', '--batch', '100', '--json');
      expect(once.json()).toEqual({ issued: 100, reclaimed: 0, dead: 0, passes: 1, seconds: expect.any(Number) });
      const users = await stores.sql('SELECT user_id FROM issued_coupons ORDER BY requested_us');
      expect(users.map((row) => row['user_id'])).toEqual(Array.from({ length: 100 }, (_, i) => `user-${i + 1}`));
    });

    it('leaves exactly what other services read', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '1');
      await admit('42', 1);
      await run('drain', '--until-empty');
      const hash = await stores.redis.hgetall('issued_coupon:coupon:42-user:user-1');
      expect(hash).toMatchObject({ userId: 'user-1', couponId: '42', ex_date: '', used_at: '' });
      expect(await stores.sql('SELECT coupon_id, user_id FROM issued_coupons')).toEqual([{ coupon_id: '42', user_id: 'user-1' }]);
    });

    it('says what the pace means for those who wait', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '300');
      await admit('42', 250);
      const result = await cli([...at(stores), 'drain', '--interval', '2s', '--batch', '100'], stopAtFirstOutput('SIGTERM'));
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('at most 50 coupons/s per coupon (100 every 2s); 250 waiting → 5 s; faster: --batch 1000 or --eager');
      expect(result.stdout).toContain('coupon 42: issued 100, 150 waiting');
    });

    it('until stopped prints one JSON object a line', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '300');
      await admit('42', 10);
      const result = await cli([...at(stores), '--json', 'drain', '--interval', '1s'], stopAtFirstOutput('SIGINT'));
      expect(result.exitCode).toBe(0);
      const lines = result.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toMatchObject([
        { event: 'pass', couponId: '42', issued: 10 },
        { event: 'stopped', issued: 10 },
      ]);
    });

    it('two at once issue nothing twice', async () => {
      await run('seed', '42', '--name', 'x', '--stock', '2000');
      await admit('42', 2_000);
      const drain = () => run('drain', '--until-empty', '--eager', '--json');
      const both = await Promise.all([drain(), drain()]);
      expect(both.map((result) => result.exitCode)).toEqual([0, 0]);
      expect(both.reduce((sum, result) => sum + result.json<{ issued: number }>().issued, 0)).toBe(2_000);
      expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 2_000, rows: 2_000 });
    });

    it('with nothing to do ends at once', async () => {
      expect((await run('drain', '--until-empty', '--json')).json()).toMatchObject({ issued: 0, passes: 1 });
    });
  });
});
