import { describe, expect, it } from 'vitest';
import { emptyPass, type CouponPass } from '../../src/drain/coupon-pass.ts';
import { LiveLine, PassLines } from '../../src/drain/pass-lines.ts';

const pass = (couponId: string, issued: number, waiting: number): CouponPass => ({ ...emptyPass(couponId), issued, waiting });

describe('lines of passes', () => {
  it('tell the first at once, and what follows as one sum for each coupon', () => {
    const lines = new PassLines(5_000);
    lines.add(pass('a', 100, 900));
    expect(lines.due(0)).toEqual(['coupon a: issued 100, 900 waiting']);
    for (const waiting of [800, 700]) lines.add(pass('a', 100, waiting));
    lines.add(pass('b', 5, 0));
    expect(lines.due(4_999)).toEqual([]);
    expect(lines.due(5_000)).toEqual(['coupon a: issued 200, 700 waiting', 'coupon b: issued 5, 0 waiting']);
    expect(lines.due(60_000)).toEqual([]);
  });

  it('tell the rest at the end, and nothing of passes that did nothing', () => {
    const lines = new PassLines(5_000);
    lines.add(pass('a', 0, 3));
    expect(lines.due(0)).toEqual([]);
    lines.add(pass('a', 1, 2));
    expect(lines.due(1)).toHaveLength(1);
    lines.add({ ...pass('a', 0, 2), reclaimed: 4, dead: 1, released: 2 });
    expect(lines.due(Number.POSITIVE_INFINITY)).toEqual([
      'coupon a: issued 0, 4 taken back from expired claims, 2 given back, 1 dead-lettered, 2 waiting',
    ]);
  });

  it('tell each pass when asked to', () => {
    const lines = new PassLines(0);
    for (const waiting of [1, 2]) {
      lines.add(pass('a', 1, waiting));
      expect(lines.due(waiting)).toHaveLength(1);
    }
  });
});

describe('the live line', () => {
  it('says how much is done, how fast of late, and how long the rest takes', () => {
    const live = new LiveLine(0);
    expect(live.text([pass('a', 0, 0)], 0)).toBe('issued 0, 0 waiting, 0/s');
    expect(live.text([pass('a', 1_000, 9_000), pass('b', 0, 1_000)], 1_000)).toBe('issued 1,000, 10,000 waiting, 1,000/s, 10 s left');
    // A burst that is over no longer counts.
    for (let s = 2; s <= 30; s += 1) live.text([pass('a', 10, 9_000)], s * 1_000);
    expect(live.text([pass('a', 10, 900), pass('b', 0, 0)], 31_000)).toMatch(/^issued 1,300, 900 waiting, 10\/s, 1 min 30 s left$/);
  });

  it('says for whom it stands by, until it works itself', () => {
    const live = new LiveLine(0);
    expect(live.text([{ ...pass('a', 0, 500), heldBy: 'host-7' }], 1_000)).toBe('issued 0, 500 waiting, standing by for host-7');
    expect(live.text([{ ...pass('a', 100, 400), heldBy: 'host-7' }], 2_000)).toBe('issued 100, 400 waiting, 50/s, 8 s left');
  });
});
