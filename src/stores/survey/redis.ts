import type { Redis } from 'ioredis';
import type { RedisDurability } from '../../campaign/ports/health.ts';
import type { BytesPerUser, RedisFacts, RedisMemory, RedisServer } from '../../operate/doctor/ports.ts';
import type { RedisConnection } from '../redis/connection/connection.ts';
import { redisHealth } from '../redis/connection/health.ts';
import { infoField } from '../redis/connection/role.ts';
import { trips } from './trips.ts';

/** Looks at every server of a connection. What its user may not ask is null. @throws CouponError of kind `unreachable` */
export async function surveyRedis(connection: RedisConnection, bytesPerUser: () => Promise<BytesPerUser>): Promise<RedisFacts> {
  const durability = await redisHealth(connection).durability();
  const servers: RedisServer[] = [];
  // One after the other: questions at the same time would wait for each other, and the times be wrong.
  for (const [i, { client, address }] of connection.servers().entries())
    servers.push(await surveyServer(connection, client, durability.find((one) => one.address === address) ?? durability[i]!));
  return { isCluster: connection.isCluster, servers, bytesPerUser: await bytesPerUser() };
}

async function surveyServer(connection: RedisConnection, client: Redis, durability: RedisDurability): Promise<RedisServer> {
  const allowed = async <T>(question: () => Promise<T>): Promise<T | null> => {
    try {
      return await question();
    } catch (error) {
      if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return null;
      throw connection.explain(error);
    }
  };
  const info = (await allowed(() => client.info())) ?? '';
  const setting = async (name: string): Promise<number | null> => {
    const found = await allowed(async () => client.config('GET', name));
    return found?.[1] === undefined ? null : Number(found[1]);
  };
  const role = infoField(info, 'role');
  const connected = numberIn(info, 'connected_clients');
  const most = numberIn(info, 'maxclients') ?? (await setting('maxclients'));
  return {
    address: durability.address,
    version: infoField(info, 'redis_version') || null,
    role: role === 'master' ? 'primary' : role === 'slave' ? 'replica' : null,
    replicas: role === '' ? null : replicasIn(info),
    durability,
    failedWrites: info === '' ? null : failedWrites(info),
    memory: memoryIn(info),
    clients: connected === null || most === null ? null : { connected, most },
    trip: await allowed(() =>
      trips(async () => {
        const [seconds, micros] = await client.time();
        return Number(seconds) * 1_000 + Number(micros) / 1_000;
      }),
    ),
  };
}

function numberIn(info: string, name: string): number | null {
  const text = infoField(info, name);
  return /^\d+$/.test(text) ? Number(text) : null;
}

function replicasIn(info: string): { connected: number; online: number } {
  const states = [...info.matchAll(/^slave\d+:.*state=(\w+)/gm)].map(([, state]) => state);
  return { connected: states.length, online: states.filter((state) => state === 'online').length };
}

function failedWrites(info: string): string[] {
  return ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'].filter((name) => infoField(info, name) === 'err');
}

function memoryIn(info: string): RedisMemory | null {
  const [used, limit] = [numberIn(info, 'used_memory'), numberIn(info, 'maxmemory')];
  const [resident, machine] = [numberIn(info, 'used_memory_rss'), numberIn(info, 'total_system_memory')];
  return used === null || limit === null || resident === null || machine === null ? null : { used, limit, resident, machine };
}
