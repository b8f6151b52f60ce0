/**
 * Two coupons on two servers of a Redis Cluster, users who ask for each, and faults that strike the server of the first. What is promised:
 * nothing is issued twice or too often, nobody whose answer was confirmed is lost, and the second coupon does not notice.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Closers } from '../../../src/lib/closers.ts';
import type { Finished } from '../../support/processes.ts';
import { drained, inTime } from '../campaign.ts';
import { explain } from '../explain.ts';
import { startLoad, type Load } from '../load.ts';
import { judge, type OracleStores, type Subject } from '../oracle.ts';
import { seededRandom } from '../random.ts';
import type { Counts } from '../result.ts';
import { acceptedAt, windowOf, type Window } from './windows.ts';
import type { ClusterFault } from './kinds.ts';
import { openClusterRig, type Means } from './rig.ts';

export interface ClusterCampaign {
  seed: number;
  means: Means;
  faults: readonly ClusterFault[];
  /** New users a second, for each coupon. */
  rate: number;
  /** Without a fault, before the first, between two and after the last. */
  calmMs: number;
}

export interface ClusterResult {
  struck: Judged;
  other: Judged;
  inflicted: { kind: string; seconds: number }[];
  deaths: string[];
  /** Where something was lost: the exit code of an audit after a repair. */
  repaired: number | null;
  /** The server of the second coupon was replaced as well, though nothing struck it: the machine was too busy for its time limit. */
  otherReplaced: boolean;
  /** What the processes said last. */
  lastWords: string;
}

interface Judged {
  couponId: string;
  /** What was broken, a line each. */
  broken: string[];
  /** What is known of the users in question. */
  details: string[];
  counts: Counts;
  /** Answers of the time before the first fault, and of the time from then on. */
  before: Window;
  during: Window;
  /** When users were accepted, microseconds. */
  acceptedUs: number[];
}

const NEVER_SOLD_OUT = 1_000_000;
const DRAINED_MS = 30_000;

export async function runClusterCampaign(
  campaign: ClusterCampaign,
  told: (line: string) => void = () => undefined,
): Promise<ClusterResult> {
  await using closers = new Closers();
  const { cluster, stores, deaths, logs } = await openClusterRig(campaign.means, closers);
  const { command } = stores;
  const [struckId, otherId] = [0, 1].map((index) => cluster.couponOn(cluster.primaries[index]!, `shop${campaign.seed}-`));
  for (const id of [struckId!, otherId!]) await must(command(['seed', id, '--name', 'Cluster', '--stock', String(NEVER_SOLD_OUT)]));

  const bystander = await cluster.holder(otherId!);
  const random = seededRandom(campaign.seed);
  const loads = [struckId!, otherId!].map((couponId) => {
    const prefix = `${couponId}-user-`;
    const load = startLoad({
      endpoint: stores.endpoint,
      couponIds: [couponId],
      rate: campaign.rate,
      prefix,
      random: seededRandom(random.int(1, 1e9)),
    });
    return { couponId, prefix, load };
  });
  const inflicted: ClusterResult['inflicted'] = [];
  let firstUs = Number.POSITIVE_INFINITY;
  try {
    await delay(campaign.calmMs);
    firstUs = performance.now() * 1_000;
    for (const { kind, inflict } of campaign.faults) {
      const { seconds } = await inTime(kind, inflict(cluster, struckId!, otherId!));
      inflicted.push({ kind, seconds });
      told(`${kind}: ${seconds.toFixed(1)} s`);
      await delay(campaign.calmMs);
    }
  } finally {
    await Promise.all(loads.map(({ load }) => load.end()));
  }
  const otherReplaced = (await cluster.holder(otherId!)) !== bystander;
  const [struck, other] = await Promise.all(
    loads.map(async ({ couponId, prefix, load }) => await judged({ couponId, prefix, load, firstUs }, stores)),
  );
  const lastWords = logs.map((log) => `== ${log}\n${readFileSync(log, 'utf8').split('\n').slice(-30).join('\n')}`).join('\n');
  let repaired: number | null = null;
  if (struck!.broken.length > 0) {
    await command(['audit', struckId!, '--repair', '--confirm', '--reopen']);
    await command(['drain', struckId!, '--until-empty', '--interval', '50ms']);
    repaired = (await command(['audit', struckId!])).exitCode;
  }
  return { struck: struck!, other: other!, inflicted, deaths, repaired, otherReplaced, lastWords };
}

interface Asked {
  couponId: string;
  prefix: string;
  load: Load;
  firstUs: number;
}

async function judged({ couponId, prefix, load, firstUs }: Asked, stores: OracleStores): Promise<Judged> {
  const subject: Subject = { coupons: [{ id: couponId, total: NEVER_SOLD_OUT }], rows: load.rows, users: load.users, prefix };
  const waiting = await drained(stores, subject, DRAINED_MS);
  const { broken, counts, suspects } = await judge(subject, stores);
  const details = broken.length > 0 ? await explain(suspects, subject, stores) : [];
  const [before, during] = [load.rows.filter(({ sentUs }) => sentUs < firstUs), load.rows.filter(({ sentUs }) => sentUs >= firstUs)];
  return {
    couponId,
    broken: [...waiting, ...broken],
    details,
    counts,
    before: windowOf(before),
    during: windowOf(during, firstUs),
    acceptedUs: acceptedAt(load.rows),
  };
}

async function must(finished: Promise<Finished>): Promise<void> {
  const { exitCode, stderr } = await finished;
  if (exitCode !== 0) throw new Error(stderr);
}
