import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { lastLines } from '../../src/lib/process/processes.ts';
import { defaultStackDir, redisServerCommand } from '../../src/stack/stack.ts';
import { endWithUs } from './end-with-us.ts';
import { testHost } from './host.ts';
import { REPOSITORY } from './stack-dir.ts';
import { until } from './until.ts';

/** How to run Redis here. */
export interface RedisProgram {
  command: string;
  env: Record<string, string>;
}

export async function redisProgram(): Promise<RedisProgram> {
  const host = testHost();
  return await redisServerCommand(host, defaultStackDir(host, REPOSITORY, `test-${host.pid}`));
}

/** One life of one server. */
export interface RedisProcess {
  readonly exited: boolean;
  readonly pid: number;
  /** SIGKILL. Returns when it is gone, also when it was gone before. */
  kill(): Promise<void>;
}

export interface RedisLaunch {
  port: number;
  /** Its log goes here; the data too, unless the arguments say otherwise. */
  dir: string;
  password?: string;
  /** A configuration file, for what has no place on a command line. */
  config?: string;
  env?: Record<string, string>;
  args?: readonly string[];
}

/** Durable, as the stacks that the program starts. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];

/** Starts a server and returns when it has loaded its data and answers. Later arguments win over the settings above. */
export async function launchRedis(program: RedisProgram, launch: RedisLaunch): Promise<RedisProcess> {
  const { port, dir, password, config, env = {}, args = [] } = launch;
  const logFile = join(dir, 'redis.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program.command, [...(config ? [config] : []), '--port', String(port), '--dir', dir, ...SETTINGS, ...args], {
    env: { ...process.env, ...program.env, ...env },
    stdio: ['ignore', log, log],
  });
  endWithUs(child);
  closeSync(log);
  let failure: string | null = null;
  const gone = new Promise<void>((resolve) => {
    const over = (why: string): void => {
      failure = why;
      resolve();
    };
    child.once('exit', (code, signal) => over(`it ended with ${code ?? signal}`));
    child.once('error', (error) => over(error.message));
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  const probe = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    enableReadyCheck: false,
    ...(password ? { password } : {}),
    retryStrategy: () => null,
  });
  probe.on('error', () => undefined);
  try {
    await until(async () => {
      if (failure !== null) throw new Error(`Redis did not start: ${failure}\n${lastLines(readFileSync(logFile, 'utf8'), 10)}`);
      try {
        if (probe.status !== 'ready') await probe.connect();
        return (await probe.ping()) === 'PONG';
      } catch {
        return false; // not there yet, or still loading
      }
    });
  } catch (error) {
    await kill();
    throw error;
  } finally {
    probe.disconnect();
  }
  return {
    pid: child.pid!,
    get exited() {
      return failure !== null;
    },
    kill,
  };
}
