import { cpus, totalmem, release, type } from 'node:os';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import type { Context } from '../../context.ts';
import { packageVersion } from '../../version.ts';
import { storesOf } from './evidence.ts';

/** Where the stores of a run are; left out: those of the settings, if the scenario reads them. */
export interface StoreUrls {
  redisUrl: string;
  databaseUrl: string;
}

const GIB = 1_073_741_824;

/** On what and how a run was made, by name, so that a report says so years later. A store that does not answer is left out. */
export async function environmentOf(context: Context, { evidence }: Scenario, urls: StoreUrls | null): Promise<Record<string, string>> {
  const { env } = context;
  const wanted = storesOf([evidence]);
  const redisUrl = urls?.redisUrl ?? (wanted.includes('redisUrl') ? context.settings.get('redisUrl').value : null);
  const database = urls?.databaseUrl ?? (wanted.includes('databaseUrl') ? undefined : null);
  const processors = cpus();
  return {
    program: `coupon-cli ${packageVersion()}, Node.js ${env.nodeVersion}`,
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${(totalmem() / GIB).toFixed(0)} GiB, ${type()} ${release()}`,
    ...(redisUrl === null ? {} : await redisFacts(redisUrl).catch(() => ({}))),
    ...(database === null ? {} : await postgresFacts(context, database).catch(() => ({}))),
    command: env.secrets.mask(['coupon-cli', ...env.argv].join(' ')),
  };
}

async function redisFacts(url: string): Promise<Record<string, string>> {
  const { openRedis } = await import('../../../stores/redis/connection/open.ts');
  const connection = await openRedis({ url, reconnect: false, readOnly: true });
  try {
    const info = await connection.client.info('server', 'persistence');
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '?';
    const fsync = await connection.client.config('GET', 'appendfsync').then(
      ([, value]) => value ?? '?',
      () => '?',
    );
    const persistence = field('aof_enabled') === '1' ? `appendfsync ${fsync}` : 'no append-only file';
    return { redis: `${field('valkey_version') === '?' ? 'Redis' : 'Valkey'} ${field('redis_version')}, ${persistence}` };
  } finally {
    connection.close();
  }
}

async function postgresFacts(context: Context, url: string | undefined): Promise<Record<string, string>> {
  const database = await context.database(url, { readOnly: true, poolSize: 1 });
  const [row] = await database.query<{ version: string; fsync: string; commit: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit",
  );
  return { postgres: `PostgreSQL ${row!.version}, fsync ${row!.fsync}, synchronous_commit ${row!.commit}` };
}
