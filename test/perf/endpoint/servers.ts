import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BIN, cleanEnvironment } from '../../support/processes.ts';
import type { OwnStores } from '../own-stores.ts';

export interface Server extends AsyncDisposable {
  url: string;
  pid: number;
  /** Requests that it works on. */
  pending(): Promise<number>;
}

const PENDING = /^coupon_requests_pending (\d+)$/m;

/** `serve` as it is shipped, on the stores of the measurement. */
export async function served(stores: OwnStores, args: readonly string[] = []): Promise<Server> {
  const where = ['--redis-url', stores.redisUrl, '--database-url', stores.databaseUrl];
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--json', '--quiet', ...where, ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const pending = async (): Promise<number> => Number(PENDING.exec(await (await fetch(`${url}/metrics`)).text())![1]);
  return { url, pending, ...ending(child, () => child.kill('SIGTERM')) };
}

/** The same routes and schemas over stores that answer at once. @param outcome of every request */
export async function storeless(outcome: string): Promise<Server> {
  const child = fork(fileURLToPath(new URL('storeless.ts', import.meta.url)), [outcome]);
  const [port] = (await once(child, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, pending: async () => 0, ...ending(child, () => child.disconnect()) };
}

function ending(child: ChildProcess, end: () => void): Pick<Server, 'pid' | typeof Symbol.asyncDispose> {
  return {
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      end();
      await gone;
    },
  };
}
