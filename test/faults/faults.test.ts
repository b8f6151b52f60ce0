import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import type { HarmlessFault } from './fault.ts';
import { allFaults } from './kinds/index.ts';
import { planCampaigns } from './plan.ts';
import { openSession } from './session.ts';

const KINDS = ['worker-kill', 'serve-kill', 'redis-kill', 'redis-reply-lost', 'postgres-backends'];
const SEED = 1;
/** Enough for five faults. */
const MINUTES = 0.35;

test('a short campaign with five faults of five kinds keeps every promise', async () => {
  await using session = await openSession('plain');
  const chosen = allFaults.filter((fault): fault is HarmlessFault => KINDS.includes(fault.kind));
  const harmless = new Map(chosen.map((fault) => [fault.kind, fault]));
  const [plan] = planCampaigns(SEED, chosen, MINUTES);
  const { inflicted, broken, details, counts } = await runCampaign(session.rig, plan!, harmless, () => undefined);
  expect(broken, `${details.join('\n')}\n${session.lastWords()}`).toEqual([]);
  expect(inflicted.map(({ kind }) => kind).toSorted()).toEqual(KINDS.toSorted());
  expect(counts).toMatchObject({ lost: 0, duplicates: 0, overIssued: 0, inversions: 0 });
  expect(counts.accepted).toBeGreaterThan(0);
}, 180_000);
