import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { findOnPath } from '../../src/lib/process/processes.ts';
import { endWithUs } from './end-with-us.ts';
import { freePort } from '../../src/stack/ports.ts';
import { serverIdentity } from '../../src/stack/server-user.ts';
import { testHost } from './host.ts';
import { until } from './until.ts';

const host = testHost({ path: `${testHost().path}:/usr/sbin` });

/** Null: there is none on this machine (Debian: `apt-get install pgbouncer`). */
export const PGBOUNCER = findOnPath(host, ['pgbouncer']);

export interface PgBouncer extends AsyncDisposable {
  /** The same database, through the pooler. */
  url: string;
  /** Connections that it has to the server. */
  poolSize: number;
  /** Seconds that a client waits for one of them. */
  waits: number;
  /** SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface PgBouncerOptions {
  mode?: 'transaction' | 'session' | 'statement';
  /** Start-up parameters that it drops without a word, instead of refusing them. */
  ignores?: string;
  /** Connections to the server. */
  poolSize?: number;
  /** Seconds that a client waits for one of them. */
  waits?: number;
}

/** A real PgBouncer in front of a database. It refuses root, so it runs as another user. */
export async function pgBouncer(databaseUrl: string, options: PgBouncerOptions = {}): Promise<PgBouncer> {
  const { mode = 'transaction', ignores = '', poolSize = 4, waits = 120 } = options;
  const server = new URL(databaseUrl);
  const dir = mkdtempSync('/var/tmp/coupon-pgbouncer-');
  const port = await freePort(dir);
  const as = serverIdentity(host);
  const ini = join(dir, 'pgbouncer.ini');
  writeFileSync(
    ini,
    `[databases]
* = host=127.0.0.1 port=${server.port} user=${server.username} password=${decodeURIComponent(server.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 300
query_wait_timeout = ${waits}
ignore_startup_parameters = ${ignores}
`,
  );
  if (as) {
    chmodSync(dir, 0o755);
    for (const path of [dir, ini]) chownSync(path, as.uid, as.gid);
  }
  let child: ReturnType<typeof spawn> | null = null;
  const url = `postgres://app@127.0.0.1:${port}${server.pathname}`;
  const start = async (): Promise<void> => {
    child = spawn(PGBOUNCER!, [ini], { stdio: 'ignore', cwd: '/', ...(as ? { uid: as.uid, gid: as.gid } : {}) });
    endWithUs(child);
    await until(async () => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return true;
      } catch {
        return false;
      } finally {
        await client.end().catch(() => undefined);
      }
    });
  };
  const kill = async (): Promise<void> => {
    const dying = child;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    dying.kill('SIGKILL');
    await new Promise((resolve) => dying.once('exit', resolve));
  };
  await start();
  return {
    url,
    poolSize,
    waits,
    start,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
    },
  };
}
