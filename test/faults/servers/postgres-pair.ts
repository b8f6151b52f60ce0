import pg from 'pg';
import { Closers } from '../../../src/lib/closers.ts';
import { openProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { startPostgres, type FaultPostgres } from './postgres.ts';

/** A primary that waits with every commit until its standby has it on disk, and a standby that can take its place. */
export interface PostgresPair extends AsyncDisposable {
  /** Both servers; whoever connects is led to the one that takes writes. */
  readonly url: string;
  /** Of the one that takes writes now. */
  writable(): string;
  /** The primary goes on alone: commits do not wait any more, and nothing of them arrives. */
  partStandby(): Promise<void>;
  /** Kills the primary, and returns when the standby takes writes in its place. */
  failOver(): Promise<void>;
  /** Makes the server that was killed anew, on its port, as the synchronous standby of the other. */
  rejoin(): Promise<void>;
}

interface Node {
  server: FaultPostgres;
  /** What a standby follows it through. */
  link: TcpProxy;
}

export async function startPostgresPair(): Promise<PostgresPair> {
  const closers = new Closers();
  try {
    return await assemble(closers);
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble(closers: Closers): Promise<PostgresPair> {
  const all = new Set<AsyncDisposable>();
  closers.add(async () => {
    for (const one of [...all].toReversed()) await one[Symbol.asyncDispose]();
  });
  const begin = async (options: Parameters<typeof startPostgres>[0] = {}): Promise<Node> => {
    const server = await startPostgres(options);
    all.add(server);
    const link = await openProxy(server.url);
    all.add(link);
    return { server, link };
  };
  const follow = async (node: Node, port?: number): Promise<Node> => {
    const follower = await begin({ standbyOf: node.link.through(node.server.url), ...(port === undefined ? {} : { port }) });
    await ask(node, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await ask(node, 'SELECT pg_reload_conf()');
    await until(async () => (await ask(node, 'SELECT sync_state FROM pg_stat_replication'))[0]?.['sync_state'] === 'sync');
    return follower;
  };
  let primary = await begin();
  let standby: Node | null = await follow(primary);
  let former: Node | null = null;
  const url = new URL(primary.server.url);
  const hosts = [primary, standby].map(({ server }) => `127.0.0.1:${server.port}`).join(',');

  return {
    // No URL in the strict sense has two hosts.
    url: `${url.href.replace(url.host, hosts)}?target_session_attrs=read-write`,
    writable: () => primary.server.url,
    async partStandby() {
      await ask(primary, "ALTER SYSTEM SET synchronous_standby_names = ''");
      await ask(primary, 'SELECT pg_reload_conf()');
      await until(async () => (await ask(primary, 'SHOW synchronous_standby_names'))[0]!['synchronous_standby_names'] === '');
      primary.link.holdReplies();
    },
    async failOver() {
      if (standby === null) throw new Error('nobody can take its place');
      await primary.link.cut(); // first: what was held back must not arrive after all
      await primary.server.kill();
      await ask(standby, 'SELECT pg_promote()');
      await until(async () => (await ask(standby!, 'SELECT pg_is_in_recovery() AS follows'))[0]!['follows'] === false);
      [former, primary, standby] = [primary, standby, null];
    },
    async rejoin() {
      if (former === null) throw new Error('nobody was killed');
      const { server, link } = former;
      for (const one of [server, link]) {
        await one[Symbol.asyncDispose]();
        all.delete(one);
      }
      standby = await follow(primary, server.port);
      former = null;
    },
    [Symbol.asyncDispose]: async () => await closers[Symbol.asyncDispose](),
  };
}

/** On a connection of its own: none outlives a failover. */
async function ask({ server }: Node, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
