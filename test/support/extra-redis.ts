import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/stack/ports.ts';
import { noteScripts } from '../matrix/witness.ts';
import { launchRedis, redisProgram, type RedisProcess } from './redis-process.ts';

export interface ExtraRedis extends AsyncDisposable {
  port: number;
  url: string;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  /** Stops it, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
}

/** A Redis of a test's own, to be configured, killed and started again. */
export async function extraRedis(args: readonly string[] = [], password?: string): Promise<ExtraRedis> {
  const program = await redisProgram();
  const dir = mkdtempSync(join(tmpdir(), 'coupon-redis-'));
  const port = await freePort(dir);
  const given = password ? { password, args: [...args, '--requirepass', password] } : { args };
  let server: RedisProcess | null = null;

  const start = async (): Promise<void> => {
    server = await launchRedis(program, { port, dir, ...given });
  };
  const kill = async (): Promise<void> => await server?.kill();

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    signal: (name) => void process.kill(server!.pid, name),
    async [Symbol.asyncDispose]() {
      if (server?.exited === false) await noteScripts(port, password);
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
