import { containerName, inContainer } from './docker.ts';
import type { Host } from '../../lib/process/host.ts';
import type { StackPaths } from '../paths.ts';
import { askPostgres } from '../postgres/ask.ts';
import { askRedis } from '../redis/ask.ts';
import { POSTGRES_SETTINGS, POSTGRES_USER, REDIS_SETTINGS } from '../settings.ts';
import type { Secrets } from '../state.ts';
import type { StoreDriver } from '../store.ts';

/** The same two servers with the same settings as the native ones, from official images, for machines that have only Docker. */
export function containerRedis(host: Host, paths: StackPaths, secrets: Secrets): StoreDriver {
  return inContainer(host, containerName(paths.dir, 'redis'), {
    label: 'Redis',
    image: 'redis:7.4-alpine',
    port: 6379,
    data: '/data',
    options: ['--user', 'redis'],
    // The configuration comes through the environment and standard input: the list of processes shows no password.
    command: ['sh', '-c', 'exec redis-server - <<END\n$REDIS_CONF\nEND'],
    env: { REDIS_CONF: [...REDIS_SETTINGS, 'protected-mode yes', 'bind * -::*', `requirepass ${secrets.redis}`].join('\n') },
    ask: async (port) => (await askRedis(port, secrets.redis))?.version ?? null,
    logFile: paths.redisLog,
  });
}

export function containerPostgres(host: Host, paths: StackPaths, secrets: Secrets): StoreDriver {
  return inContainer(host, containerName(paths.dir, 'postgres'), {
    label: 'PostgreSQL',
    image: 'postgres:17-alpine',
    port: 5432,
    data: '/var/lib/postgresql/data',
    options: ['--shm-size', '256m'],
    command: ['postgres', ...POSTGRES_SETTINGS.flatMap((setting) => ['-c', setting])],
    env: {
      POSTGRES_USER,
      POSTGRES_PASSWORD: secrets.postgres,
      POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256',
    },
    ask: async (port) => await askPostgres(port, secrets.postgres),
    logFile: paths.postgresLog,
  });
}
