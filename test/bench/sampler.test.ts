import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startSampler } from '../../src/bench/sampler.ts';
import type { EvidenceSource } from '../../src/bench/evidence/source.ts';
import { CouponError } from '../../src/lib/errors.ts';

/** Readings of a store whose queue grows by one each time; time passes only when somebody sleeps. */
function fakes(fails: (reading: number) => Error | null = () => null) {
  let nowMs = 0;
  let readings = 0;
  const source: Pick<EvidenceSource, 'look'> = {
    async look() {
      readings += 1;
      const error = fails(readings);
      if (error) throw error;
      return { stock: 10, waiting: readings, claimed: 0, issued: 0, mark: '' };
    },
  };
  const clock = {
    now: () => nowMs,
    async sleep(ms: number) {
      await turn();
      nowMs += ms;
    },
  };
  return { source, clock, readings: () => readings };
}

const unreachable = new CouponError({ code: 'REDIS_DOWN', kind: 'unreachable', message: 'gone', fix: 'Wait.' });

async function readingsOf(count: number, world: ReturnType<typeof fakes>) {
  const sampler = startSampler(world.source as EvidenceSource, ['c'], world.clock);
  while (world.readings() < count) await turn();
  return sampler.stop(0);
}

test('reads from the first moment to the last', async () => {
  const samples = await readingsOf(5, fakes());
  expect(samples[0]).toEqual({ second: 0, couponId: 'c', stock: 10, waiting: 1, claimed: 0, issued: 0 });
  expect(samples.map((sample) => sample.waiting)).toEqual(samples.map((_, index) => index + 1));
  expect(samples[1]!.second).toBe(0.2);
});

test('a long run keeps few readings, spread over all of it', async () => {
  const samples = await readingsOf(3_000, fakes());
  expect(samples.length).toBeLessThanOrEqual(401);
  expect(samples.length).toBeGreaterThan(200);
  expect(samples[0]!.second).toBe(0);
  expect(samples.at(-1)!.waiting).toBeGreaterThanOrEqual(3_000);
});

test('a store that does not answer leaves a gap', async () => {
  const samples = await readingsOf(
    6,
    fakes((reading) => (reading === 3 ? unreachable : null)),
  );
  expect(samples.slice(0, 4).map((sample) => sample.waiting)).toEqual([1, 2, 4, 5]);
});

test('any other failure is told in the end', async () => {
  await expect(
    readingsOf(
      3,
      fakes((reading) => (reading === 3 ? new Error('a bug') : null)),
    ),
  ).rejects.toThrow('a bug');
});
