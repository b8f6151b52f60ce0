import { availableParallelism } from 'node:os';
import type { Rig } from './fault.ts';

/** What the campaigns ran on. */
export interface Machine {
  cores: number;
  node: string;
  redis: string;
  postgres: string;
}

export async function machineOf({ redis, sql }: Pick<Rig, 'redis' | 'sql'>): Promise<Machine> {
  const info = await redis.admin.info('server');
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  const [row] = await sql('SHOW server_version');
  return {
    cores: availableParallelism(),
    node: `Node ${process.versions.node}`,
    redis: valkey === undefined ? `Redis ${field('redis_version')}` : `Valkey ${valkey}`,
    postgres: `PostgreSQL ${String(row!['server_version']).split(' ')[0]}`,
  };
}
