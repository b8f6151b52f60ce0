import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../../support/redis-cluster.ts';

export interface ClusterFault {
  kind: string;
  meaning: string;
  /** Servers may lose what they had not yet handed to a replica: only confirmed answers are promised. */
  loses: boolean;
  /** Strikes the server that holds this coupon, spares the one that holds the other, and returns when the cluster is whole again. */
  inflict(cluster: TestCluster, couponId: string, otherId: string): Promise<void>;
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
    async inflict(cluster, couponId, otherId) {
      // Beside the other coupon, this one would take it along into the faults that follow.
      const taken = await Promise.all([couponId, otherId].map(async (id) => await cluster.holder(id)));
      const free = (await cluster.primariesNow()).find((node) => !taken.includes(node));
      await cluster.moveSlot(couponId, free!);
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
