import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Redis } from 'ioredis';
import { freePort } from '../../src/stack/ports.ts';
import { launchRedis, redisProgram, type RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

/** One server of the cluster. */
export interface ClusterNode {
  port: number;
  /** Of the cluster bus. */
  bus: number;
  dir: string;
  id: string;
  /** A plain client of this server alone. */
  redis: Redis;
  server: RedisProcess;
}

export interface TestCluster extends AsyncDisposable {
  /** Of one of the servers. */
  url: string;
  primaries: readonly ClusterNode[];
  replicas: readonly ClusterNode[];
  /** The server that holds the keys of this coupon now, as the others see it. */
  holder(couponId: string): Promise<ClusterNode>;
  /** The servers that hold slots now, as the others see it. */
  primariesNow(): Promise<ClusterNode[]>;
  /** A coupon id that lies on this primary. */
  couponOn(node: ClusterNode, prefix: string): string;
  /** SIGKILL; returns once a replica has been promoted, and the cluster serves all slots again. */
  failOver(node: ClusterNode): Promise<void>;
  /** The same, with a replica that stood still while `meanwhile` went on: what was written then is lost. */
  failOverBehind(node: ClusterNode, meanwhile: () => Promise<void>): Promise<void>;
  /** Starts a killed server again; returns once it is the replica of whoever took its place, or the primary that it was, if nobody did. */
  rejoin(node: ClusterNode, as?: 'master'): Promise<void>;
  replicaOf(node: ClusterNode): Promise<ClusterNode>;
  /** CLUSTER FAILOVER: a replica takes over, and the primary hands it all it has. Returns the new primary. */
  switchOver(node: ClusterNode): Promise<ClusterNode>;
  /** SIGSTOP: the others see it fail, and promote its replica; then SIGCONT, and it learns of that. */
  cutOff(node: ClusterNode): Promise<void>;
  /** Gives the slot of a coupon to another primary; `between` is called while it is half-way. */
  moveSlot(couponId: string, to: ClusterNode, between?: () => Promise<void>): Promise<void>;
  /** The keys of a slot that is half-way, and not the slot itself. */
  moveKeys(couponId: string, to: ClusterNode): Promise<void>;
  /** Until all servers that run agree that every slot is served. */
  healthy(): Promise<void>;
}

const SLOTS = 16_384;
/** Shorter than in life, so that a test need not wait for long; long enough for a busy machine. */
const NODE_TIMEOUT_MS = 2_000;

/** Three primaries, and a replica of each. */
export async function redisCluster(args: readonly string[] = []): Promise<TestCluster> {
  const program = await redisProgram();
  const dir = mkdtempSync(join(tmpdir(), 'coupon-cluster-'));
  const nodes: ClusterNode[] = [];
  const begin = (own: string, port: number, bus: number): Promise<RedisProcess> =>
    launchRedis(program, {
      port,
      dir: own,
      args: [
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(bus),
        '--cluster-node-timeout',
        String(NODE_TIMEOUT_MS),
        // Otherwise all coupons stand still while one server is replaced.
        '--cluster-require-full-coverage',
        'no',
        '--repl-diskless-sync-delay',
        '0',
        ...args,
      ],
    });
  const launch = async (): Promise<ClusterNode> => {
    const own = mkdtempSync(join(dir, 'node-'));
    const port = await freePort(own);
    // Ten thousand above, where the bus is otherwise, systems take the ports of outgoing connections.
    const bus = await freePort(`${own} bus`);
    const server = await begin(own, port, bus);
    const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined);
    const node = { port, bus, dir: own, id: (await redis.call('CLUSTER', 'MYID')) as string, redis, server };
    nodes.push(node);
    return node;
  };
  const running = (): ClusterNode[] => nodes.filter((node) => !node.server.exited);
  const healthy = async (): Promise<void> => {
    await until(async () => {
      const infos = await Promise.all(
        running().map((node) =>
          node.redis.call('CLUSTER', 'INFO').then(
            (info) => info as string,
            () => '',
          ),
        ),
      );
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`));
    }, 30_000);
  };

  try {
    for (let index = 0; index < 6; index += 1) await launch();
    const [first, ...others] = nodes;
    const [primaries, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
    for (const [index, node] of primaries.entries()) {
      const [from, below] = [Math.floor((SLOTS * index) / 3), Math.floor((SLOTS * (index + 1)) / 3)];
      await node.redis.call('CLUSTER', 'ADDSLOTSRANGE', from, below - 1);
      await node.redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    for (const node of others) await first!.redis.call('CLUSTER', 'MEET', '127.0.0.1', node.port, node.bus);
    await until(async () => {
      const seen = await Promise.all(
        nodes.map(async (node) => ((await node.redis.call('CLUSTER', 'NODES')) as string).trim().split('\n').length),
      );
      return seen.every((count) => count === nodes.length);
    }, 30_000);
    for (const [index, node] of replicas.entries()) {
      await until(async () => {
        try {
          return (await node.redis.call('CLUSTER', 'REPLICATE', primaries[index]!.id)) === 'OK';
        } catch {
          return false; // it does not know that one yet
        }
      });
    }
    await healthy();
    await until(
      async () =>
        (await Promise.all(replicas.map((node) => node.redis.info('replication')))).every((info) => info.includes('master_link_status:up')),
      30_000,
    );

    const slotOf = (couponId: string): number => new Command('type', [`{${couponId}}`]).getSlot();
    const holder = async (couponId: string): Promise<ClusterNode> => {
      const slot = slotOf(couponId);
      const ranges = (await running()[0]!.redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
      return nodes.find((node) => node.port === port)!;
    };
    /** @returns how many keys */
    const moveSome = async (slot: number, from: ClusterNode, to: ClusterNode, most: number): Promise<number> => {
      const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, most)) as string[];
      if (keys.length > 0) await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      return keys.length;
    };
    const nodesSeen = async (by: ClusterNode): Promise<string[][]> =>
      ((await by.redis.call('CLUSTER', 'NODES')) as string)
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
    /** Until another server that runs has its slots. */
    const replaced = async (node: ClusterNode): Promise<void> => {
      const other = running().find((one) => one !== node)!;
      await until(async () => {
        // id, address, flags, primary, …, link state, slots
        const own = (await nodesSeen(other)).find(([id]) => id === node.id);
        return own !== undefined && own.length <= 8;
      }, 30_000);
    };
    const follows = async (node: ClusterNode): Promise<void> => {
      await until(async () => {
        const info = await node.redis.info('replication').catch(() => '');
        return info.includes('role:slave') && info.includes('master_link_status:up');
      }, 30_000);
    };
    const replicaOf = async (node: ClusterNode): Promise<ClusterNode> => {
      const [line] = (await nodesSeen(node)).filter(([, , flags, primary]) => flags!.includes('slave') && primary === node.id);
      return nodes.find(({ id }) => id === line![0])!;
    };
    return {
      url: `redis://127.0.0.1:${first!.port}`,
      primaries,
      replicas,
      holder,
      async primariesNow() {
        const ranges = (await running()[0]!.redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
        const ports = new Set(ranges.map(([, , [, port]]) => port));
        return nodes.filter(({ port }) => ports.has(port));
      },
      healthy,
      couponOn(node, prefix) {
        const index = primaries.indexOf(node);
        const [from, below] = [Math.floor((SLOTS * index) / 3), Math.floor((SLOTS * (index + 1)) / 3)];
        for (let number = 1; ; number += 1) {
          const slot = slotOf(`${prefix}${number}`);
          if (slot >= from && slot < below) return `${prefix}${number}`;
        }
      },
      async failOver(node) {
        await node.server.kill();
        await replaced(node);
        await healthy();
      },
      async failOverBehind(node, meanwhile) {
        const replica = await replicaOf(node);
        process.kill(replica.server.pid, 'SIGSTOP');
        try {
          // What is sent over this link lies in its kernel, and would be read later.
          await node.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
          await meanwhile();
          await node.server.kill();
        } finally {
          process.kill(replica.server.pid, 'SIGCONT');
        }
        await replaced(node);
        await healthy();
      },
      async rejoin(node, as) {
        node.server = await begin(node.dir, node.port, node.bus);
        if (as === undefined) await follows(node);
        await healthy();
      },
      replicaOf,
      async switchOver(node) {
        const replica = await replicaOf(node);
        await replica.redis.call('CLUSTER', 'FAILOVER');
        await follows(node);
        await healthy();
        return replica;
      },
      async cutOff(node) {
        process.kill(node.server.pid, 'SIGSTOP');
        try {
          await replaced(node);
        } finally {
          process.kill(node.server.pid, 'SIGCONT');
        }
        await follows(node);
        await healthy();
      },
      async moveSlot(couponId, to, between) {
        const slot = slotOf(couponId);
        const from = await holder(couponId);
        await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
        await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
        await moveSome(slot, from, to, 2);
        await between?.();
        while ((await moveSome(slot, from, to, 1_000)) > 0);
        for (const node of [to, from, ...running()])
          await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => undefined);
      },
      async moveKeys(couponId, to) {
        const [slot, from] = [slotOf(couponId), await holder(couponId)];
        while ((await moveSome(slot, from, to, 1_000)) > 0);
      },
      async [Symbol.asyncDispose]() {
        for (const node of nodes) node.redis.disconnect();
        for (const node of nodes) await node.server.kill();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    for (const node of nodes) node.redis.disconnect();
    for (const node of nodes) await node.server.kill();
    throw error;
  }
}
