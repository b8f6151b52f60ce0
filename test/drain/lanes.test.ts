import { describe, expect, it } from 'vitest';
import { emptyPass, type CouponPass } from '../../src/drain/coupon-pass.ts';
import { inLanes } from '../../src/drain/lanes.ts';

const LONG_MS = 60_000;

/** Batches of ten of a queue; each takes its turn of the event loop. */
function queue(size: number, more: Partial<CouponPass> = {}) {
  const seen = { batches: 0, underWay: 0, most: 0, ended: 0 };
  let waiting = size;
  const drainBatch = async (): Promise<CouponPass> => {
    const nth = (seen.batches += 1);
    seen.most = Math.max(seen.most, (seen.underWay += 1));
    const issued = Math.min(10, waiting);
    waiting -= issued;
    const left = waiting;
    await new Promise((resolve) => setImmediate(resolve));
    seen.underWay -= 1;
    seen.ended += 1;
    if (nth === 5 && more.skipped === 'busy') throw new Error('the store is gone');
    return { ...emptyPass('42'), issued, waiting: left, ...(nth === 5 ? more : {}) };
  };
  return { seen, drainBatch };
}
const never = new AbortController().signal;

describe('lanes', () => {
  it('drain a backlog three batches at a time, and add up what they did', async () => {
    const { seen, drainBatch } = queue(205);
    const pass = await inLanes('42', drainBatch, LONG_MS, never);
    expect(pass).toMatchObject({ issued: 205, waiting: 0 });
    expect(seen.most).toBe(3);
  });

  it('leave the others out while another worker drains the same coupon', async () => {
    const { seen, drainBatch } = queue(205);
    const shared = async (): Promise<CouponPass> => ({ ...(await drainBatch()), others: true });
    expect(await inLanes('42', shared, LONG_MS, never)).toMatchObject({ issued: 205, waiting: 0 });
    expect(seen.most).toBe(1);
  });

  it('drain one batch when there is no time for more, and when nothing is left', async () => {
    const one = queue(205);
    expect(await inLanes('42', one.drainBatch, 0, never)).toMatchObject({ issued: 10, waiting: 195 });
    const small = queue(7);
    expect(await inLanes('42', small.drainBatch, LONG_MS, never)).toMatchObject({ issued: 7, waiting: 0 });
    expect([one.seen.batches, small.seen.batches]).toEqual([1, 1]);
  });

  it('end with what makes one of them skip the coupon', async () => {
    const { seen, drainBatch } = queue(1_000, { skipped: 'suspect', reason: 'fence', issued: 0 });
    expect(await inLanes('42', drainBatch, LONG_MS, never)).toMatchObject({ skipped: 'suspect', reason: 'fence' });
    expect(seen.batches).toBeLessThanOrEqual(7);
  });

  it('let all batches end before they throw what one of them threw', async () => {
    const { seen, drainBatch } = queue(1_000, { skipped: 'busy' });
    await expect(inLanes('42', drainBatch, LONG_MS, never)).rejects.toThrow('the store is gone');
    expect(seen.underWay).toBe(0);
  });

  it('begin nothing more once they are stopped', async () => {
    const stop = new AbortController();
    const { seen, drainBatch } = queue(1_000);
    const stopping = async (): Promise<CouponPass> => {
      if (seen.batches === 3) stop.abort();
      return drainBatch();
    };
    await inLanes('42', stopping, LONG_MS, stop.signal);
    expect(seen.batches).toBeLessThanOrEqual(6);
    expect(seen.underWay).toBe(0);
  });
});
