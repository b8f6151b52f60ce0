/** What a promise looks like when it is broken: programs with the fault of their name, on real stores. */
import { Redis } from 'ioredis';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import type { IssueOptions } from '../../src/drain/ports.ts';
import type { Claim } from '../../src/campaign/coupon.ts';
import { decode, encode } from '../../src/stores/redis/admission.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { defineScripts, runScript } from '../../src/stores/redis/script.ts';
import type { TestStores } from '../support/stores.ts';

type Stores = Pick<TestStores, 'claims' | 'ledger' | 'redis'>;

const WORKER = 'planted';
const TIMEOUT_MS = 5_000;

/** Takes users for so long, and is killed before it has issued them. */
export async function claimAndDie({ claims, ledger }: Stores, couponId: string, limit: number, leaseMs: number): Promise<number> {
  const { epoch } = (await ledger.coupon(couponId))!;
  const claimed = await claims.claim(couponId, { epoch, limit, leaseMs, worker: WORKER });
  return claimed.status === 'ok' ? claimed.claims.length : 0;
}

/** Pops users from the queue, then issues them; killed in between, it issues nobody. Returns whom it popped. */
export async function popThenInsert(stores: Stores, couponId: string, limit: number, killed: boolean): Promise<string[]> {
  const { claims, ledger, redis } = stores;
  const { epoch } = (await ledger.coupon(couponId))!;
  const popped = await redis.zpopmin(couponKeys(couponId, 'plain').queue, limit);
  const userIds = popped.filter((_, index) => index % 2 === 0);
  if (killed || userIds.length === 0) return userIds;
  const fence = await redis.hincrby(couponKeys(couponId, 'plain').coupon, 'fence', 1);
  const batch = userIds.map((userId, index): Claim => ({ userId, score: Number(popped[2 * index + 1]), fence, deliveries: 1 }));
  const options: IssueOptions = { epoch, worker: WORKER, timeoutMs: TIMEOUT_MS };
  const issued = await ledger.issue(couponId, batch, options);
  if (issued.status === 'ok') await claims.ack(couponId, epoch, issued.rows);
  return userIds;
}

/** Admission on ioredis as it comes, which sends a script again when the reply was lost, and without request ids. */
export function resendingAdmission(url: string, run: string): Admission & Disposable {
  const client = new Redis(url);
  client.on('error', () => undefined);
  defineScripts(client);
  return {
    async admit(couponId, requests) {
      const keys = couponKeys(couponId, 'plain');
      const batch = encode(requests.map(({ userId }) => ({ userId, requestId: '' })));
      return decode((await runScript(client, 'admit', keys, [], [run, keys.issued(''), batch])) as string);
    },
    [Symbol.dispose]: () => client.disconnect(),
  };
}
