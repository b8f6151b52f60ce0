import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { emptyPass, type CouponPass } from '../../src/drain/coupon-pass.ts';
import { inLanes, lanesFor, type BatchWork } from '../../src/drain/lanes.ts';

const LONG = { forMs: 60_000, lanes: 3 };

/** Batches of ten of a queue; each takes its turn of the event loop, and asks ahead before it ends. */
function queue(size: number, more: Partial<CouponPass> = {}) {
  const seen = { batches: 0, underWay: 0, most: 0, held: 0, events: [] as string[], told: [] as number[] };
  let waiting = size;
  const work: BatchWork<{ nth: number; issued: number; left: number }> = {
    async claim(left) {
      seen.told.push(left);
      const nth = (seen.batches += 1);
      seen.events.push(`claim ${nth}`);
      const issued = Math.min(10, waiting);
      waiting -= issued;
      seen.held += issued;
      return { nth, issued, left: waiting };
    },
    async settle(claimed, ahead) {
      const { nth, issued, left } = await claimed;
      seen.most = Math.max(seen.most, (seen.underWay += 1));
      await new Promise((resolve) => setImmediate(resolve));
      seen.events.push(`ack ${nth}`);
      ahead(left);
      await new Promise((resolve) => setImmediate(resolve));
      seen.events.push(`end ${nth}`);
      seen.underWay -= 1;
      seen.held -= issued;
      if (nth === 5 && more.skipped === 'busy') throw new Error('the store is gone');
      return { ...emptyPass('42'), issued, waiting: left, ...(nth === 5 ? more : {}) };
    },
  };
  return { seen, work };
}
const never = new AbortController().signal;

describe('lanes', () => {
  it('drain a backlog three batches at a time, and add up what they did', async () => {
    const { seen, work } = queue(205);
    const pass = await inLanes('42', work, LONG, never);
    expect(pass).toMatchObject({ issued: 205, waiting: 0 });
    expect(seen).toMatchObject({ most: 3, held: 0 });
  });

  it.each([
    [1, 6],
    [100, 6],
    [500, 6],
    [700, 4],
    [1_000, 3],
    [10_000, 3],
  ])('of %i users are %i', (batch, lanes) => {
    expect(lanesFor(batch)).toBe(lanes);
  });

  it('claim the next batch together with the acknowledgement of the one before', async () => {
    const { seen, work } = queue(205);
    await inLanes('42', work, LONG, never);
    // The first goes alone, then three begin.
    expect(seen.events.slice(0, 6)).toEqual(['claim 1', 'ack 1', 'end 1', 'claim 2', 'claim 3', 'claim 4']);
    expect(seen.events.slice(6, 12)).toEqual(['ack 2', 'claim 5', 'ack 3', 'claim 6', 'ack 4', 'claim 7']);
  });

  it('begin one after the other, so that what the first has claimed is not kept waiting by the claims of the others', async () => {
    const { seen, work } = queue(205);
    let answer: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const slow: typeof work = {
      ...work,
      async claim(left, alone) {
        const claimed = await work.claim(left, alone);
        if (claimed.nth === 2) await gate;
        return claimed;
      },
    };
    const draining = inLanes('42', slow, LONG, never);
    await until(() => seen.batches === 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.batches).toBe(2);
    answer();
    expect(await draining).toMatchObject({ issued: 205 });
    expect(seen.most).toBe(3);
  });

  it('say with each claim how many users the batch before left behind', async () => {
    const { seen, work } = queue(105);
    await inLanes('42', work, LONG, never);
    // The first knows nothing; three begin on what it saw.
    expect(seen.told).toEqual([0, 95, 95, 95, 85, 75, 65, 55, 45, 35, 25, 15, 5]);
  });

  it('drain one batch when there is no time for more, and when nothing is left', async () => {
    const one = queue(205);
    expect(await inLanes('42', one.work, { ...LONG, forMs: 0 }, never)).toMatchObject({ issued: 10, waiting: 195 });
    const small = queue(7);
    expect(await inLanes('42', small.work, LONG, never)).toMatchObject({ issued: 7, waiting: 0 });
    expect([one.seen.batches, small.seen.batches]).toEqual([1, 1]);
  });

  it('end with what makes one of them skip the coupon, and settle what they have claimed by then', async () => {
    const { seen, work } = queue(1_000, { skipped: 'suspect', reason: 'fence', issued: 0 });
    expect(await inLanes('42', work, LONG, never)).toMatchObject({ skipped: 'suspect', reason: 'fence' });
    expect(seen.batches).toBeLessThanOrEqual(10);
    expect(seen).toMatchObject({ underWay: 0, held: 0 });
  });

  it('let all batches end, those claimed ahead too, before they throw what one of them threw', async () => {
    const { seen, work } = queue(1_000, { skipped: 'busy' });
    await expect(inLanes('42', work, LONG, never)).rejects.toThrow('the store is gone');
    expect(seen).toMatchObject({ underWay: 0, held: 0 });
  });

  it('throw what the claim ahead threw', async () => {
    const { seen, work } = queue(1_000);
    const failing: typeof work = {
      ...work,
      claim: async (left, alone) => {
        if (seen.batches === 6) throw new Error('the queue is gone');
        return work.claim(left, alone);
      },
    };
    await expect(inLanes('42', failing, LONG, never)).rejects.toThrow('the queue is gone');
    expect(seen).toMatchObject({ underWay: 0, held: 0 });
  });

  it('begin nothing more once they are stopped', async () => {
    const stop = new AbortController();
    const { seen, work } = queue(1_000);
    const stopping: typeof work = {
      ...work,
      claim: async (left, alone) => {
        if (seen.batches === 3) stop.abort();
        return work.claim(left, alone);
      },
    };
    await inLanes('42', stopping, LONG, stop.signal);
    expect(seen.batches).toBeLessThanOrEqual(6);
    expect(seen).toMatchObject({ underWay: 0, held: 0 });
  });
});
