/** `npm run test:cluster`: what each meaning of "accepted" loses when servers of a Redis Cluster fail under load; and commands of an operator that are killed there. */
import { parseArgs } from 'node:util';
import { runClusterCampaign } from './campaign.ts';
import { CLUSTER_FAULTS } from './kinds.ts';
import { OPERATIONS } from '../operators/operations.ts';
import { operateOnCluster } from './operators.ts';
import type { Means } from './rig.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    means: { type: 'string', default: 'disk,replica,both' },
    faults: { type: 'string', default: CLUSTER_FAULTS.map(({ kind }) => kind).join(',') },
    rate: { type: 'string', default: '100' },
    calm: { type: 'string', default: '3' },
  },
});
let failed = false;
const seeds = values.seeds.split(',').map(Number);
// Without any, the operators' commands alone.
for (const means of values.means.split(',').filter(Boolean) as Means[]) {
  for (const seed of seeds) {
    const faults = values.faults.split(',').map((name) => CLUSTER_FAULTS.find(({ kind }) => kind === name)!);
    console.log(`seed ${seed}, accepted means ${means}`);
    const result = await runClusterCampaign(
      { seed, means, faults, rate: Number(values.rate), calmMs: Number(values.calm) * 1_000 },
      (line) => console.log(`  ${line}`),
    );
    const { struck, other, deaths, repaired } = result;
    for (const [name, { couponId, counts, before, during, broken, details }] of Object.entries({ struck, other })) {
      const { accepted, lost, duplicates, overIssued } = counts;
      const gapS = (during.longestGap.toUs - during.longestGap.fromUs) / 1e6;
      console.log(
        `  ${name} ${couponId}: ${accepted} accepted, ${lost} lost, ${duplicates} twice, ${overIssued} over;` +
          ` p99 ${before.p99Ms.toFixed(0)} ms before, ${during.p99Ms.toFixed(0)} ms from the first fault on` +
          ` (${(during.p99Ms / before.p99Ms).toFixed(2)} ×);` +
          ` ${during.decided} of ${during.requests} decided, nobody accepted for at most ${gapS.toFixed(1)} s`,
      );
      for (const line of [...broken, ...details]) console.log(`    ${line}`);
    }
    if (result.otherReplaced) console.log('  the server of the other coupon was replaced, too: this machine was too busy');
    if (repaired !== null) console.log(`  audit after a repair: exit code ${repaired}`);
    if (deaths.length > 0) console.log(`  ended by themselves: ${deaths.join(', ')}`);
    failed ||= result.other.broken.length > 0 || (means !== 'disk' && result.struck.broken.length > 0);
    if (result.struck.broken.length > 0 || result.other.broken.length > 0) console.log(result.lastWords);
  }
}
for (const seed of seeds) {
  const broken = await operateOnCluster(OPERATIONS, seed);
  console.log(
    `seed ${seed}, commands of an operator that are killed and run again: ${broken.length === 0 ? 'every promise was kept' : 'broken'}`,
  );
  for (const line of broken) console.log(`    ${line}`);
  failed ||= broken.length > 0;
}
process.exitCode = failed ? 1 : 0;
