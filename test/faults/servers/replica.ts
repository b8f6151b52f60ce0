import { Redis } from 'ioredis';
import type { RedisProcess } from '../../support/redis-process.ts';
import { openProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

/** A copy of a Redis that follows it, until it is frozen. */
export interface FaultReplica extends AsyncDisposable {
  /** What the primary writes from now on does not arrive; the primary answers its clients all the same. */
  freeze(): void;
  /** The primary is killed, and the replica takes its place on its port, with what it has. The same process, with its own run id. */
  promote(): Promise<void>;
}

export interface ReplicaPlan {
  primary: { url: string; password: string; kill(): Promise<void> };
  /** Where it listens until it is promoted. */
  port: number;
  launch(args: string[]): Promise<RedisProcess>;
  promoted(process: RedisProcess): void;
}

/** Starts a replica and returns when it has all data of the primary, also in its own AOF. */
export async function joinReplica({ primary, port, launch, promoted }: ReplicaPlan): Promise<FaultReplica> {
  const link = await openProxy(primary.url);
  const process = await launch(['--replicaof', '127.0.0.1', new URL(link.through(primary.url)).port]).catch(async (error: unknown) => {
    await link[Symbol.asyncDispose]();
    throw error;
  });
  const client = new Redis({ port, host: '127.0.0.1', password: primary.password });
  client.on('error', () => undefined);
  await until(async () => {
    const state = `${await client.info('replication')}${await client.info('persistence')}`;
    const level = ['master_link_status:up', 'master_sync_in_progress:0', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'];
    return level.every((line) => state.includes(`${line}\r\n`));
  });

  const close = async (): Promise<void> => {
    client.disconnect();
    await link[Symbol.asyncDispose]();
  };
  return {
    freeze: () => link.holdReplies(),
    async promote() {
      await link.cut(); // first: what was held back must not arrive after all
      await primary.kill();
      await client.replicaof('NO', 'ONE');
      await client.config('SET', 'port', new URL(primary.url).port);
      promoted(process);
      await close();
    },
    async [Symbol.asyncDispose]() {
      await close();
      await process.kill();
    },
  };
}
