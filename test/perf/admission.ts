import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ADMISSION_BATCH } from '../../src/campaign/admission.ts';
import { redisProgram } from '../support/redis-process.ts';
import { median, medianRatio, type Effort, type Figure } from './figures.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const BATCHES = 400;
/** Batches under way at a time, in both. */
const PIPELINE = 2;

/**
 * A script that writes what an accepted user costs at least, a hash field and a member of a sorted set, for as many users as a batch has;
 * it decides nothing.
 */
const COMPARABLE = `
local admitted, queue = {}, {}
for i = 1, ${ADMISSION_BATCH} do
  local user = ARGV[1] .. i
  admitted[#admitted + 1] = user
  admitted[#admitted + 1] = '1764000000000000:request' .. i
  queue[#queue + 1] = 1764000000000000 + i
  queue[#queue + 1] = user
end
redis.call('HSET', KEYS[1], unpack(admitted))
redis.call('ZADD', KEYS[2], unpack(queue))
return 'OK'`;

/** Admission straight on Redis, without HTTP, beside `redis-benchmark` with a script that only writes. */
export async function admission({ rounds }: Effort): Promise<Figure[]> {
  const program = await redisProgram();
  const tool = { file: join(dirname(program.command), 'redis-benchmark'), env: program.env };
  if (!existsSync(tool.file)) {
    console.error(`admission: left out, there is no ${tool.file}`);
    return [];
  }
  await using stores = await ownStores();
  const [ours, reference]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await admitted(stores, `direct-${round}`));
    reference.push(await benchmarked(tool, stores, `benchmark-${round}`));
  }
  const us = (values: readonly number[]): string => `${median(values).toFixed(1)} µs`;
  return [
    {
      id: 'admission-direct',
      name: 'time of one admission straight on Redis : redis-benchmark with a script that only writes',
      value: medianRatio(ours, reference),
      detail: `${us(ours)}, ${us(reference)} for each user, ${ADMISSION_BATCH} users a script`,
    },
  ];
}

/** Microseconds for each user. */
async function admitted(stores: OwnStores, couponId: string): Promise<number> {
  await stores.seed(couponId, BATCHES * ADMISSION_BATCH);
  let next = 0;
  const began = performance.now();
  const lane = async (): Promise<void> => {
    while (next < BATCHES) {
      const batch = (next += 1);
      await stores.admission.admit(
        couponId,
        Array.from({ length: ADMISSION_BATCH }, (_, i) => ({ userId: `u${batch}-${i}`, requestId: `request${i}` })),
      );
    }
  };
  await Promise.all(Array.from({ length: PIPELINE }, lane));
  return perUser(began);
}

async function benchmarked(tool: { file: string; env: Record<string, string> }, stores: OwnStores, key: string): Promise<number> {
  const { hostname, port, password } = new URL(stores.redisUrl);
  const where = ['-h', hostname, '-p', port, ...(password ? ['-a', decodeURIComponent(password)] : [])];
  const load = ['-n', String(BATCHES), '-c', String(PIPELINE), '-r', '1000000', '-q'];
  const began = performance.now();
  await promisify(execFile)(tool.file, [...where, ...load, 'EVAL', COMPARABLE, '2', `${key}:a`, `${key}:q`, 'u__rand_int__-'], {
    env: tool.env,
  });
  return perUser(began);
}

function perUser(beganMs: number): number {
  return ((performance.now() - beganMs) * 1_000) / (BATCHES * ADMISSION_BATCH);
}
