import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { startRedis, type FaultRedis } from './redis.ts';
import { findCompiler } from './shims.ts';

const NEVER_MS = 600_000;

/** A client that takes the first loss of its connection for the end. */
function connectOnce(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, retryStrategy: () => null });
  client.on('error', () => undefined);
  return client;
}

/** Counts upwards, one command after the other, until the connection is lost. Resolves with the last number that was acknowledged. */
function countUntilLost(url: string): { acknowledged: () => number; lost: Promise<number> } {
  const client = connectOnce(url);
  let last = 0;
  const count = async (): Promise<number> => {
    try {
      for (;;) last = await client.incr('count');
    } catch {
      return last;
    }
  };
  return { acknowledged: () => last, lost: count() };
}

const count = async (redis: FaultRedis): Promise<number> => Number(await redis.admin.get('count'));
const runId = async (redis: FaultRedis): Promise<string> => /run_id:(\w+)/.exec(await redis.admin.info('server'))![1]!;

/** All of what was written, synced or not. */
function aofBytes(redis: FaultRedis): number {
  const folder = join(redis.dir, 'appendonlydir');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Milliseconds, as scripts see it: scores and leases are made from there. */
async function clock(redis: FaultRedis): Promise<number> {
  const [seconds, micros] = (await redis.admin.eval("return redis.call('TIME')", 0)) as [string, string];
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

describe('a Redis to break', () => {
  let redis: FaultRedis;
  beforeAll(async () => {
    redis = await startRedis({ diskBytes: 32 << 20 });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it('keeps what it acknowledged over a kill, and comes back where it was', async () => {
    const { acknowledged, lost } = countUntilLost(redis.url);
    await until(() => acknowledged() >= 20);
    await redis.kill();
    expect(redis.running).toBe(false);
    await redis.start();
    expect(redis.running).toBe(true);
    expect(await count(redis)).toBeGreaterThanOrEqual(await lost);
  });

  it('goes back to an older copy of its data, taken while it ran', async () => {
    await redis.admin.set('kept', 'yes');
    await redis.snapshot();
    await redis.admin.set('younger', 'yes');
    await redis.kill();
    await redis.restore();
    await redis.start();
    expect(await redis.admin.mget('kept', 'younger')).toEqual(['yes', null]);
  });

  it('starts without the last commands when the end of its file was cut off', async () => {
    await redis.admin.set('first', 'x'.repeat(200));
    await redis.admin.set('last', 'x'.repeat(200));
    await redis.kill();
    expect(redis.cutTail(100)).toBe(100);
    await redis.start();
    expect(await redis.admin.exists('first')).toBe(1);
    expect(await redis.admin.exists('last')).toBe(0);
  });

  it('gives way to a replica that lacks what was acknowledged after the freeze', async () => {
    const before = await runId(redis);
    await redis.admin.set('arrived', 'yes');
    const replica = await redis.startReplica();
    replica.freeze();
    await redis.admin.set('left behind', 'yes');
    await replica.promote();
    expect(await redis.admin.mget('arrived', 'left behind')).toEqual(['yes', null]);
    expect(await redis.admin.role()).toContain('master');
    expect(await runId(redis)).not.toBe(before);
    await redis.admin.set('after', 'yes');
    await redis.kill();
    await redis.start();
    expect(await redis.admin.mget('arrived', 'after')).toEqual(['yes', 'yes']);
  });
});

describe.skipIf(findCompiler() === null)('a Redis with a disk and a clock of ours', () => {
  let redis: FaultRedis;
  beforeAll(async () => {
    redis = await startRedis({ diskBytes: 32 << 20 });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it('loses no acknowledged write with its power under appendfsync always, but the one that was not synced', async () => {
    expect(redis.withoutShims).toBeNull();
    const client = connectOnce(redis.url);
    for (let write = 1; write <= 20; write += 1) expect(await client.incr('count')).toBe(write);
    redis.setFsyncDelay(NEVER_MS); // the next write gets into the file, and its sync does not come to an end
    const synced = aofBytes(redis); // nothing is under way here, or that one might be counted in
    const unanswered = client.incr('count').catch((error: Error) => error);
    await until(() => aofBytes(redis) > synced);
    await redis.kill();
    redis.setFsyncDelay(0);
    expect(redis.loseUnsynced()).toBeGreaterThan(0);
    expect(await unanswered).toBeInstanceOf(Error);
    await redis.start();
    expect(await count(redis)).toBe(20);
  });

  it('loses acknowledged writes with its power under everysec', async () => {
    await redis.admin.config('SET', 'appendfsync', 'everysec');
    redis.setFsyncDelay(NEVER_MS);
    const { acknowledged, lost } = countUntilLost(redis.url);
    const before = await count(redis);
    await until(() => acknowledged() >= before + 20);
    await redis.kill();
    redis.setFsyncDelay(0);
    const [written, cut] = [aofBytes(redis), redis.loseUnsynced()];
    expect(cut).toBeGreaterThan(0);
    expect(aofBytes(redis)).toBe(written - cut);
    await redis.start();
    expect(await count(redis)).toBeLessThan(await lost);
    expect(await redis.admin.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  });

  it('takes as long over each write as its disk', async () => {
    redis.setFsyncDelay(50);
    const began = performance.now();
    for (let write = 0; write < 4; write += 1) await redis.admin.incr('count');
    redis.setFsyncDelay(0);
    expect(performance.now() - began).toBeGreaterThanOrEqual(4 * 50);
  });

  it('has another time of day, and comes back to the real one', async () => {
    const hour = 3_600_000;
    const now = await clock(redis);
    redis.jumpClock(hour);
    expect(await clock(redis)).toBeGreaterThanOrEqual(now + hour);
    redis.jumpClock(-2 * hour);
    expect(await clock(redis)).toBeLessThan(now - hour);
    redis.jumpClock(0);
    const before = Date.now();
    const real = await clock(redis);
    expect(real).toBeGreaterThanOrEqual(before - 1);
    expect(real).toBeLessThanOrEqual(Date.now() + 1);
  });
});

it('a Redis on a small disk ends itself when that is full, with all that it acknowledged', async (test) => {
  await using redis = await startRedis({ diskBytes: 4 << 20 });
  if (!redis.smallDisk) test.skip('this user may not mount a disk');
  const { acknowledged, lost } = countUntilLost(redis.url);
  await until(() => acknowledged() >= 20);
  redis.fillDisk();
  await until(() => !redis.running);
  redis.freeDisk();
  await redis.start();
  expect(await count(redis)).toBe(await lost);
});
