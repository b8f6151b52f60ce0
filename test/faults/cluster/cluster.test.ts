import { expect, test } from 'vitest';
import { runClusterCampaign, type ClusterResult } from './campaign.ts';
import { CLUSTER_FAULTS } from './kinds.ts';

const CAMPAIGN = { seed: 7, rate: 30, calmMs: 1_000 };
const LONG = 300_000;

function broken({ struck, other, deaths, lastWords }: ClusterResult): string[] {
  const all = [...struck.broken, ...other.broken, ...deaths];
  return all.length > 0 ? [...all, lastWords] : [];
}

test(
  'with --accepted-means replica every fault of a cluster keeps every promise, and other coupons do not notice',
  async () => {
    const result = await runClusterCampaign({ ...CAMPAIGN, means: 'replica', faults: CLUSTER_FAULTS });
    expect(broken(result)).toEqual([]);
    expect(result.inflicted.map(({ kind }) => kind)).toEqual(CLUSTER_FAULTS.map(({ kind }) => kind));
    expect(result.struck.counts.accepted).toBeGreaterThan(0);
    // While nobody could be accepted for the one coupon, users were for the other.
    const { fromUs, toUs } = result.struck.during.longestGap;
    expect(result.other.acceptedUs.filter((us) => us > fromUs && us < toUs).length).toBeGreaterThan(0);
  },
  LONG,
);

test(
  'with the disk of one server what a replica lacks is lost, counted, and both stores agree after a repair',
  async () => {
    const faults = CLUSTER_FAULTS.filter(({ kind }) => kind === 'replica-behind');
    const { struck, other, repaired } = await runClusterCampaign({ ...CAMPAIGN, means: 'disk', faults });
    // The test above could have failed: these are the users that a confirmation keeps.
    expect(struck.broken.join('\n')).toContain('row_without_admission');
    expect(struck.counts).toMatchObject({ duplicates: 0, overIssued: 0 });
    expect(other.broken).toEqual([]);
    expect(repaired).toBe(0);
  },
  LONG,
);

test(
  'faults that hand everything over lose nothing, whatever accepted means',
  async () => {
    const faults = CLUSTER_FAULTS.filter(({ loses }) => !loses);
    expect(faults.length).toBeGreaterThan(1);
    expect(broken(await runClusterCampaign({ ...CAMPAIGN, means: 'disk', faults }))).toEqual([]);
  },
  LONG,
);
