import { randomUUID } from 'node:crypto';
import { ADMISSION_BATCH } from '../../src/campaign/admission.ts';
import { seed } from '../../src/operate/seed.ts';
import { redisAdmission } from '../../src/stores/redis/admission.ts';
import { redisClaims } from '../../src/stores/redis/claims.ts';
import type { RedisConnection } from '../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { infoField } from '../../src/stores/redis/connection/role.ts';
import { redisCluster, type TestCluster } from '../support/redis-cluster.ts';
import { median, medianRatio, type Effort, type Figure } from './figures.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const COUPONS = 3;
const BATCHES = 150;

interface Spent {
  /** Processor time of all servers and of this process, microseconds for each user. */
  redisUs: number;
  ownUs: number;
}

/** What a user costs, admitted and claimed, when three coupons lie on one primary and when each has its own. */
export async function clusterCpu({ rounds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  await using cluster = await redisCluster();
  const connection = await openRedis({ url: cluster.url, reconnect: true });
  try {
    const [together, apart]: [Spent[], Spent[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      together.push(await spent(stores, cluster, connection, (_, index) => cluster.couponOn(cluster.primaries[0]!, `t${round}-${index}-`)));
      apart.push(
        await spent(stores, cluster, connection, (_, index) => cluster.couponOn(cluster.primaries[index]!, `a${round}-${index}-`)),
      );
    }
    return (['redisUs', 'ownUs'] as const).map((whose) => {
      const [one, three] = [together, apart].map((all) => all.map((each) => each[whose]));
      return {
        id: `cluster-${whose === 'redisUs' ? 'redis' : 'client'}-cpu`,
        name: `processor time of ${whose === 'redisUs' ? 'Redis' : 'the client'} for a user on three primaries : on one`,
        value: medianRatio(three!, one!),
        bound: { atMost: 1.25 },
        detail: `${median(three!).toFixed(1)} µs, ${median(one!).toFixed(1)} µs; admitted and claimed, every primary with a replica`,
      };
    });
  } finally {
    connection.close();
  }
}

async function spent(
  { ledger }: OwnStores,
  cluster: TestCluster,
  connection: RedisConnection,
  idOf: (_: unknown, index: number) => string,
): Promise<Spent> {
  const [admission, claims, coupons] = [redisAdmission, redisClaims, redisCoupons].map((make) => make(connection, 'hash-tag')) as [
    ReturnType<typeof redisAdmission>,
    ReturnType<typeof redisClaims>,
    ReturnType<typeof redisCoupons>,
  ];
  const ids = Array.from({ length: COUPONS }, idOf);
  const total = BATCHES * ADMISSION_BATCH;
  const epochs = new Map<string, string>();
  for (const id of ids) {
    const definition = { id, name: id, total, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
    await seed(definition, { ledger, coupons, newEpoch: randomUUID, keyStyle: 'hash-tag' });
    epochs.set(id, (await ledger.coupon(id))!.epoch);
  }
  const [redisBefore, ownBefore] = [await redisUs(cluster), process.cpuUsage()];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const users = Array.from({ length: ADMISSION_BATCH }, (_, index) => ({ userId: `${batch}-${index}`, requestId: `r${batch}-${index}` }));
    await Promise.all(ids.map(async (id) => await admission.admit(id, users)));
    await Promise.all(
      ids.map(async (id) => {
        const claimed = await claims.claim(id, { epoch: epochs.get(id)!, limit: ADMISSION_BATCH, leaseMs: 60_000, worker: 'perf' });
        if (claimed.status !== 'ok' || claimed.claims.length !== ADMISSION_BATCH) throw new Error(`claimed: ${claimed.status}`);
      }),
    );
  }
  const { user, system } = process.cpuUsage(ownBefore);
  const perUser = (us: number): number => us / (COUPONS * total);
  return { redisUs: perUser((await redisUs(cluster)) - redisBefore), ownUs: perUser(user + system) };
}

async function redisUs({ primaries, replicas }: TestCluster): Promise<number> {
  const infos = await Promise.all([...primaries, ...replicas].map(async ({ redis }) => await redis.info('cpu')));
  const seconds = infos.map((info) => Number(infoField(info, 'used_cpu_user')) + Number(infoField(info, 'used_cpu_sys')));
  return 1e6 * seconds.reduce((sum, one) => sum + one, 0);
}
