import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, type Running } from '../../support/processes.ts';
import { at } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { oneByOne, pipelined, type Attack } from './attack.ts';
import { CLOSING, COUPON, KEPT } from './shapes.ts';
import { SLOW, slowly } from './slow.ts';
import { AUDIENCE, ISSUER, tokenShapes } from './tokens.ts';

/** `npm run test:hostile` sends a hundred thousand. */
const REQUESTS = Number(process.env['COUPON_TEST_HOSTILE'] ?? 20_000);
/** Compilers and pools are warm after so many, and the memory is what it will be. */
const WARM_UP = 20_000;
const OPERATOR = 'operator-token-of-16';
const SLOW_OF_EACH = 10;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.seed({ id: COUPON, total: 1_000_000 });
});
afterAll(() => stores[Symbol.asyncDispose]());

interface Served extends Running, AsyncDisposable {
  url: string;
  rss(): number;
}

async function serve(flags: readonly string[]): Promise<Served> {
  const running = start(['serve', '--port', '0', '--json', ...at(stores), ...flags]);
  await until(() => running.stdout().includes('\n') || running.child.exitCode !== null);
  return {
    ...running,
    url: (JSON.parse(running.stdout().split('\n')[0]!) as { url: string }).url,
    rss: () => Number(spawnSync('ps', ['-o', 'rss=', '-p', String(running.child.pid)], { encoding: 'utf8' }).stdout),
    async [Symbol.asyncDispose]() {
      running.child.kill('SIGKILL');
      await running.finished;
    },
  };
}

function secretFile(secret: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'secret');
  writeFileSync(file, secret);
  return file;
}

test(
  `${REQUESTS} hostile requests: each gets the right answer, nothing is written, nobody crashes, and memory stays`,
  { timeout: 300_000 },
  async () => {
    const secret = randomBytes(48).toString('hex');
    const tokens = ['--jwt-secret-file', secretFile(secret), '--jwt-issuer', ISSUER, '--jwt-audience', AUDIENCE];
    await using open = await serve([]);
    await using guarded = await serve([...tokens, '--operator-token-file', secretFile(OPERATOR), '--protect-metrics']);
    const forged = await tokenShapes(Buffer.from(secret));

    const attack = (count: number, first: number): Promise<Attack[]> =>
      Promise.all([
        pipelined(open.url, KEPT, Math.round(count * 0.55), first),
        oneByOne(open.url, CLOSING, Math.round(count * 0.1)),
        pipelined(guarded.url, forged, Math.round(count * 0.35)),
      ]);
    const warm = await attack(WARM_UP, 0);
    const before = [open.rss(), guarded.rss()];
    const slow = Object.entries(SLOW).flatMap(([name, shape]) =>
      Array.from({ length: SLOW_OF_EACH }, async () => [name, await slowly(open.url, shape)] as const),
    );
    const runs = await attack(REQUESTS, WARM_UP);

    expect(runs.reduce((sum, { sent }) => sum + sent, 0)).toBe(REQUESTS);
    expect(Object.fromEntries([...warm, ...runs].flatMap(({ wrong }) => [...wrong]))).toEqual({});
    expect((await Promise.all(slow)).filter(([, status]) => status !== 408)).toEqual([]);

    // Whoever was accepted has a place in the two structures of the coupon; there is nothing else.
    const admitted = [...warm, ...runs].flatMap((run) => run.admitted).toSorted();
    expect((await stores.redis.zrange(`coupon_waiting_queue:${COUPON}`, '0', '-1')).toSorted()).toEqual(admitted);
    expect((await stores.redis.hkeys(`coupon_admitted:${COUPON}`)).toSorted()).toEqual(admitted);
    expect((await stores.redis.keys('*')).toSorted()).toEqual(
      [
        `coupon:${COUPON}`,
        `coupon_admitted:${COUPON}`,
        'coupon_index',
        `coupon_life:${COUPON}`,
        `coupon_waiting_queue:${COUPON}`,
      ].toSorted(),
    );
    expect(await stores.sql('SELECT id, state FROM coupons')).toEqual([{ id: COUPON, state: 'ready' }]);
    expect(await stores.sql('SELECT FROM issued_coupons')).toEqual([]);

    await until(() => [open.rss(), guarded.rss()].every((rss, i) => rss <= before[i]! * 1.2));
    console.log(`RSS before: ${before.join(', ')} kB, after: ${open.rss()}, ${guarded.rss()} kB`);
    for (const server of [open, guarded]) {
      server.child.kill('SIGTERM');
      const { exitCode, stderr } = await server.finished;
      expect(exitCode).toBe(0);
      expect(stderr).not.toMatch(/warning|unforeseen|error/);
    }
  },
);
