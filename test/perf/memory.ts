import { chunked } from '../../src/lib/chunked.ts';
import { requestIds } from '../../src/admission/request-ids.ts';
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
  const accepted = await used(stores);
  const { epoch } = (await ledger.coupon('bytes'))!;
  for (let left = USERS; left > 0;) {
    const claimed = await claims.claim('bytes', { epoch, limit: BATCH, leaseMs: 60_000, worker: 'perf' });
    if (claimed.status !== 'ok' || claimed.claims.length === 0) throw new Error('nothing to claim');
    const issued = await ledger.issue('bytes', claimed.claims, { epoch, worker: 'perf', timeoutMs: 10_000 });
    if (issued.status !== 'ok') throw new Error(issued.status);
    await claims.ack('bytes', epoch, issued.rows);
    left -= issued.rows.length;
  }
  const issued = await used(stores);
  const bytes = (total: number): number => (total - empty) / USERS;
  const figure = (id: string, name: string, value: number, atMost: number): Figure => ({
    id,
    name,
    value,
    bound: { atMost },
    detail: `${USERS} users of one coupon`,
  });
  return [
    figure('bytes-accepted', 'bytes of Redis for an accepted user', bytes(accepted), 160),
    figure('bytes-issued', 'bytes of Redis for an issued user', bytes(issued), 320),
  ];
}

/** Bytes that Redis has allocated for data. */
async function used({ redis }: OwnStores): Promise<number> {
  const info = await redis.info('memory');
  return Number(/^used_memory_dataset:(\d+)/m.exec(info)![1]);
}
