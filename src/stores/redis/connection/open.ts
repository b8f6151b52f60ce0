import type { RedisConnection, RedisConnectionOptions } from './connection.ts';
import { clusterWithoutSlots } from './errors.ts';
import { SingleServer } from './single.ts';

/**
 * Opens a link to Redis. Whether it is a cluster, the server itself says.
 *
 * @throws CouponError `BAD_REDIS_URL`, `REDIS_DOWN`, `REDIS_AUTH`, `REDIS_DATABASE_REFUSED`, `REDIS_TOO_OLD`, `REDIS_CLUSTER_WITHOUT_SLOTS`
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const single = await SingleServer.open(options);
  if (!single.isOfCluster) return single;
  try {
    const slots = (await single.client.call('CLUSTER', 'SLOTS')) as unknown[];
    if (slots.length === 0) throw clusterWithoutSlots(options.url);
  } catch (error) {
    throw single.explain(error);
  } finally {
    single.close();
  }
  const { ClusterServers } = await import('./cluster.ts');
  return await ClusterServers.open(options);
}
