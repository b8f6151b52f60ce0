import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { HOLD_MS } from '../../../../src/drain/lanes.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

it('drain --eager says once for whom it stands by, and drains the backlog when that worker falls silent', async () => {
  await stores.seed({ id: '42', total: 300 });
  await stores.admission.admit(
    '42',
    Array.from({ length: 250 }, (_, i) => ({ userId: `user-${i}`, requestId: 'r' })),
  );
  let stop: (name: StopSignal) => void = () => undefined;
  let [silent, told] = [false, ''];
  const other = until(async () => {
    if (silent) return true;
    await stores.redis.hset('coupon:42', 'drained_by', `other-7:${Math.floor((await stores.reader.now()) + 1.8 * HOLD_MS)}`);
    return false;
  });
  await until(async () => (await stores.redis.hexists('coupon:42', 'drained_by')) === 1);
  const draining = cli(['drain', '--eager', '--interval', '10ms', ...at(stores)], {
    onListen: (send) => (stop = send),
    onStderr: (text) => (told += text),
  });
  await until(() => told.includes('stands by'));
  expect(await stores.ledger.counts('42')).toMatchObject({ rows: 0 });
  silent = true;
  await other;
  await until(async () => (await stores.ledger.counts('42'))!.rows === 250);
  stop('SIGTERM');
  const { exitCode, stderr, stdout } = await draining;
  const note = 'coupon 42: worker other-7 drains its backlog; this one stands by, and takes over when that one stops';
  expect({ exitCode, notes: stderr.split(note).length - 1 }).toEqual({ exitCode: 0, notes: 1 });
  expect(stdout).toContain('issued 250');
});
