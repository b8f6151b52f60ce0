import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../fault.ts';
import type { ClusterNode, TestCluster } from '../../support/redis-cluster.ts';

export interface ClusterFault {
  kind: string;
  meaning: string;
  /** Servers may lose what they had not yet handed to a replica: only confirmed answers are promised. */
  loses: boolean;
  /** Strikes the server that holds this coupon, and returns when the cluster is whole again. */
  inflict(cluster: TestCluster, couponId: string, random: Random): Promise<void>;
}

/** Shorter than a replica may be silent. */
const BEHIND_MS = 1_000;

export const CLUSTER_FAULTS: readonly ClusterFault[] = [
  {
    kind: 'primary-killed',
    meaning: 'a primary is killed, its replica takes over, and it comes back as a replica',
    loses: true,
    async inflict(cluster, couponId) {
      const node = await cluster.holder(couponId);
      await cluster.failOver(node);
      await cluster.rejoin(node);
    },
  },
  {
    kind: 'replica-behind',
    meaning: 'a primary is killed whose replica lacks what was written last, and the replica takes over',
    loses: true,
    async inflict(cluster, couponId) {
      const node = await cluster.holder(couponId);
      await cluster.failOverBehind(node, () => delay(BEHIND_MS));
      await cluster.rejoin(node);
    },
  },
  {
    kind: 'switch-over',
    meaning: 'CLUSTER FAILOVER: a replica takes over in order',
    loses: false,
    async inflict(cluster, couponId) {
      await cluster.switchOver(await cluster.holder(couponId));
    },
  },
  {
    kind: 'slot-moved',
    meaning: 'the slot of a coupon goes to another primary key by key, while users ask',
    loses: false,
    async inflict(cluster, couponId, random) {
      const from = await cluster.holder(couponId);
      const others = (await cluster.primariesNow()).filter((node: ClusterNode) => node !== from);
      await cluster.moveSlot(couponId, random.pick(others));
    },
  },
  {
    kind: 'minority-cut-off',
    meaning: 'a primary stands still until the others have replaced it, and then goes on',
    loses: true,
    async inflict(cluster, couponId) {
      await cluster.cutOff(await cluster.holder(couponId));
    },
  },
];
