import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/stack/ports.ts';
import { launchRedis, redisProgram, type RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

export interface Sentinels extends AsyncDisposable {
  /** In the form of Lettuce. */
  url: string;
  /** Ends the primary as a crash would, and returns once another one is promoted. */
  failOver(): Promise<void>;
}

const MASTER = 'shop';

/** A primary with a replica, and three sentinels that watch over them. */
export async function sentinels(): Promise<Sentinels> {
  const program = await redisProgram();
  const dir = mkdtempSync(join(tmpdir(), 'coupon-sentinels-'));
  const running: RedisProcess[] = [];
  const launch = async (name: string, args: string[], config?: string): Promise<{ port: number; server: RedisProcess }> => {
    const own = mkdtempSync(join(dir, `${name}-`));
    const port = await freePort(own);
    const file = config === undefined ? {} : { config: join(own, 'sentinel.conf') };
    if (config !== undefined) writeFileSync(file.config!, config);
    const server = await launchRedis(program, { port, dir: own, ...file, args });
    running.push(server);
    return { port, server };
  };
  const primary = await launch('primary', ['--repl-diskless-sync-delay', '0']);
  const replica = await launch('replica', ['--replicaof', '127.0.0.1', String(primary.port)]);
  const looker = new Redis({ port: replica.port, host: '127.0.0.1' });
  await until(async () => (await looker.info('replication')).includes('master_link_status:up'));
  looker.disconnect();
  const config = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} 800`,
    `sentinel failover-timeout ${MASTER} 4000`,
    '',
  ].join('\n');
  const ports: number[] = [];
  for (let index = 0; index < 3; index += 1) ports.push((await launch('sentinel', ['--sentinel'], config)).port);

  const ask = new Redis({ port: ports[0]!, host: '127.0.0.1' });
  ask.on('error', () => undefined);
  const master = async (): Promise<number> => Number(((await ask.call('SENTINEL', 'get-master-addr-by-name', MASTER)) as string[])[1]);
  // Until they know the replica and each other, nothing can be promoted.
  await until(async () => {
    const fields = (await ask.call('SENTINEL', 'master', MASTER)) as string[];
    const field = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
    return field('num-slaves') === 1 && field('num-other-sentinels') === 2;
  });
  return {
    url: `redis-sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/0#${MASTER}`,
    async failOver() {
      await primary.server.kill();
      await until(async () => (await master()) !== primary.port);
    },
    async [Symbol.asyncDispose]() {
      ask.disconnect();
      for (const server of running) await server.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
