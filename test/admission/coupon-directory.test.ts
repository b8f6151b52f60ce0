import { expect, test } from 'vitest';
import { CouponDirectory } from '../../src/admission/coupon-directory.ts';
import type { LedgerCoupon } from '../../src/campaign/ports/ledger.ts';

const coupon = (id: string): LedgerCoupon => ({ id }) as LedgerCoupon;

test('many who ask at once cost one query, and a second later one more', async () => {
  let queries = 0;
  let ms = 0;
  const directory = new CouponDirectory({ coupons: async () => [coupon(`v${++queries}`)] }, () => ms);
  await Promise.all(Array.from({ length: 50 }, (_, i) => directory.has(`made-up-${i}`)));
  expect(queries).toBe(1);
  ms = 999;
  expect(await directory.has('v1')).toBe(true);
  ms = 1_000;
  expect(await directory.has('v2')).toBe(true);
});

test('a ledger that is slow is not asked a second time meanwhile', async () => {
  let queries = 0;
  let ms = 0;
  let answer: (coupons: LedgerCoupon[]) => void = () => undefined;
  const coupons = (): Promise<LedgerCoupon[]> => {
    queries += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const directory = new CouponDirectory({ coupons }, () => ms);
  const first = directory.has('a');
  ms = 60_000;
  const second = directory.has('a');
  answer([coupon('a')]);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(queries).toBe(1);
});

test('a failure is kept for a second too, and then tried again', async () => {
  let queries = 0;
  let ms = 0;
  const coupons = async (): Promise<LedgerCoupon[]> => {
    queries += 1;
    if (queries === 1) throw new Error('down');
    return [coupon('a')];
  };
  const directory = new CouponDirectory({ coupons }, () => ms);
  await expect(directory.has('a')).rejects.toThrow('down');
  await expect(directory.has('a')).rejects.toThrow('down');
  expect(queries).toBe(1);
  ms = 1_000;
  expect(await directory.has('a')).toBe(true);
});
