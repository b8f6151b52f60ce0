import { couponKeys } from '../../../src/stores/redis/keys/keys.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import type { StoresUnderLoad } from '../fault.ts';
import { idsOf } from '../third-coupon.ts';
import { operatedCoupon, operatedLooks } from './operated.ts';
import type { Operation } from './operations.ts';

const WAITING = idsOf('queued', 300);
const ISSUED = idsOf('issued', 250);
const STOCK = 20;

/** More users than one step of it takes. */
export const adoptKilled: Operation = {
  kind: 'adopt-killed',
  meaning: '`adopt` of a coupon that another service has begun, killed and run again: every waiting user gets one coupon',
  async operate({ id, close }, operate, stores) {
    close();
    const adopted = operatedCoupon(stores, `${id}-a`);
    const total = WAITING.length + ISSUED.length + STOCK;
    await writeAsAService(stores, { id: adopted.id, like: id });
    await operate('adopt', adopted.id, '--total', String(total));
    adopted.acceptances = WAITING.length + ISSUED.length;
    await adopted.askUntilAccepted(idsOf('new', STOCK / 2));
    return async () => {
      adopted.close();
      const missing = new Set([...WAITING, ...ISSUED]);
      for (const { userId } of await stores.ledger.rows(adopted.id, [...missing])) missing.delete(userId);
      return [
        ...[...missing].map((userId) => `${adopted.id}: ${userId} has no coupon`),
        ...(await operatedLooks(stores, adopted, { total, state: 'open', name: 'Shop', changes: { adopt: 1 } })),
      ];
    };
  },
};

/** Plain commands, as the report describes them. */
async function writeAsAService({ addresses, ledger }: StoresUnderLoad, { id, like }: { id: string; like: string }): Promise<void> {
  const { keyStyle } = (await ledger.coupon(like))!;
  const keys = couponKeys(id, keyStyle === 'plain' ? 'plain' : 'hash-tag');
  const connection = await openRedis({ url: addresses.redis, reconnect: false });
  const { client } = connection;
  const now = Date.now();
  try {
    await client.zadd(keys.queue, ...WAITING.flatMap((userId, i) => [now - WAITING.length + i, userId]));
    for (const userId of ISSUED) await client.hset(keys.issued(userId), { userId, couponId: id, ex_date: '', used_at: '' });
    await client.hset(keys.coupon, { name: 'Shop', total: WAITING.length + ISSUED.length + STOCK, stock: STOCK });
  } finally {
    connection.close();
  }
}
