import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { freePort } from '../../src/dev/ports.ts';
import { defaultStackDir, redisServerCommand } from '../../src/dev/stack.ts';
import { testHost } from './host.ts';
import { until } from './until.ts';

export interface ExtraRedis extends AsyncDisposable {
  port: number;
  url: string;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
}

/** A Redis of a test's own, to be configured, killed and started again. */
export async function extraRedis(args: readonly string[] = [], password?: string): Promise<ExtraRedis> {
  const host = testHost();
  const clone = fileURLToPath(new URL('../../', import.meta.url));
  const { command, env } = await redisServerCommand(host, defaultStackDir(host, clone, `test-${host.pid}`), () => undefined);
  const dir = mkdtempSync(join(tmpdir(), 'coupon-redis-'));
  const port = await freePort(dir);
  let child: ReturnType<typeof spawn> | null = null;

  const start = async (): Promise<void> => {
    const options = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ];
    child = spawn(command, [...options, ...args, ...(password ? ['--requirepass', password] : [])], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    const probe = new Redis({ port, host: '127.0.0.1', lazyConnect: true, ...(password ? { password } : {}), retryStrategy: () => null });
    probe.on('error', () => undefined);
    await until(async () => {
      try {
        if (probe.status !== 'ready') await probe.connect();
        return (await probe.ping()) === 'PONG';
      } catch {
        return false;
      }
    });
    probe.disconnect();
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
