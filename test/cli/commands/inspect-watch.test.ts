import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CouponDetail } from '../../../src/operate/inspect/coupons.ts';
import { at, cli, type CliOptions } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('coupon-cli inspect --watch', () => {
  let stores: TestStores;
  let signal: (name: 'SIGINT') => void = () => undefined;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (argv: string[], options: CliOptions) => cli(['inspect', ...argv, ...at(stores)], options);

  it('prints one JSON object a line until a signal, and ends with 0', async () => {
    await stores.seed({ id: 'sale' });
    let lines = 0;
    const result = await run(['coupon', 'sale', '--watch', '--interval', '100ms', '--json'], {
      onListen: (send) => {
        signal = send;
      },
      onStdout: () => {
        lines += 1;
        if (lines === 3) signal('SIGINT');
      },
    });
    expect(result.exitCode).toBe(0);
    const objects = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as CouponDetail);
    expect(objects.map((object) => object.couponId)).toEqual(['sale', 'sale', 'sale']);
  });

  it('redraws on a terminal and appends elsewhere', async () => {
    await stores.seed({ id: 'sale' });
    const watch = async (tty: boolean) => {
      const result = await run(['--watch', '--interval', '100ms'], {
        tty,
        columns: 80,
        vars: { NO_COLOR: '1' },
        onListen: (send) => {
          signal = send;
        },
        onStdout: (text) => {
          if (text.includes('sale')) signal('SIGINT');
        },
      });
      expect(result.exitCode).toBe(0);
      return result.stdout.includes('\u001b[2J');
    };
    expect([await watch(true), await watch(false)]).toEqual([true, false]);
  });
});
