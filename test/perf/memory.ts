import { chunked } from '../../src/lib/chunked.ts';
import { requestIds } from '../../src/admission/request-ids.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import type { Effort, Figure } from './figures.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const USERS = 100_000;
const BATCH = 1_000;

/** Bytes of Redis for one accepted and for one issued user; user ids of 11 characters, request ids as the endpoint makes them. */
export async function memory(_effort: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const { admission, claims, ledger } = stores;
  const users = Array.from({ length: USERS }, (_, i) => `user-${100_000 + i}`);
  await stores.seed('bytes', USERS);
  const empty = await used(stores);
  const newId = requestIds();
  for (const chunk of chunked(users, BATCH))
    await admission.admit(
      'bytes',
      chunk.map((userId) => ({ userId, requestId: newId() })),
    );
  const accepted = { bytes: await used(stores), keys: await keysOf(stores, 'bytes', users) };
  const { epoch } = (await ledger.coupon('bytes'))!;
  for (let left = USERS; left > 0;) {
    const claimed = await claims.claim('bytes', { epoch, limit: BATCH, leaseMs: 60_000, worker: 'perf' });
    if (claimed.status !== 'ok' || claimed.claims.length === 0) throw new Error('nothing to claim');
    const issued = await ledger.issue('bytes', claimed.claims, { epoch, worker: 'perf', timeoutMs: 10_000 });
    if (issued.status !== 'ok') throw new Error(issued.status);
    await claims.ack('bytes', epoch, issued.rows);
    left -= issued.rows.length;
  }
  const issued = { bytes: await used(stores), keys: await keysOf(stores, 'bytes', users) };
  const figure = (id: string, name: string, { bytes, keys }: typeof issued, atMost: number): Figure => ({
    id,
    name,
    value: (bytes - empty) / USERS,
    bound: { atMost },
    detail: `${USERS} users of one coupon: ${keys}`,
  });
  return [
    figure('bytes-accepted', 'bytes of Redis for an accepted user', accepted, 160),
    figure('bytes-issued', 'bytes of Redis for an issued user', issued, 320),
  ];
}

/** Bytes a user in each key that has users, as Redis itself counts them. */
async function keysOf({ redis }: OwnStores, couponId: string, users: readonly string[]): Promise<string> {
  const keys = couponKeys(couponId, 'plain');
  const usage = async (key: string): Promise<number> => (await redis.memory('USAGE', key, 'SAMPLES', 0)) ?? 0;
  const bytes = {
    queue: (await usage(keys.queue)) / USERS,
    admitted: (await usage(keys.admitted)) / USERS,
    // All are alike; the table of all keys takes more for each.
    'issued hash': await usage(keys.issued(users[0]!)),
  };
  return Object.entries(bytes)
    .filter(([, each]) => each >= 1)
    .map(([name, each]) => `${name} ${Math.round(each)}`)
    .join(', ');
}

/** Bytes that Redis has allocated for data. */
async function used({ redis }: OwnStores): Promise<number> {
  const info = await redis.info('memory');
  return Number(/^used_memory_dataset:(\d+)/m.exec(info)![1]);
}
