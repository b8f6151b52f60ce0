import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PGBOUNCER } from '../support/pgbouncer.ts';
import { runCampaign } from './campaign.ts';
import type { Ground, HarmlessFault } from './fault.ts';
import { sentinelFailover, standbyPromoted } from './kinds/failover.ts';
import { poolerFaults } from './kinds/pooler.ts';
import { planCampaigns } from './plan.ts';
import type { CampaignResult } from './result.ts';
import { openSession, type Session } from './session.ts';

const LONG = 300_000;
/** Each kind once. */
const MINUTES = 2.5;
const BEHIND_MS = 1_500;
/** What is out of service is never drained. */
const NEVER_DRAINED_MS = 3_000;

/** A short campaign with each of these kinds once. */
async function campaign<G extends Ground>(
  { rig }: Session<G>,
  faults: readonly HarmlessFault<G>[],
  seed: number,
  drainedMs?: number,
): Promise<CampaignResult> {
  const [plan] = planCampaigns(
    seed,
    faults.map(({ kind, on }) => ({ kind, on, harmless: true })),
    MINUTES,
  );
  return await runCampaign(rig, plan!, new Map(faults.map((fault) => [fault.kind, fault])), () => undefined, drainedMs);
}

async function brokenPromises<G extends Ground>(session: Session<G>, faults: readonly HarmlessFault<G>[]): Promise<string[]> {
  const { broken, details, counts, inflicted } = await campaign(session, faults, 1);
  expect(inflicted.map(({ kind }) => kind).toSorted()).toEqual(faults.map(({ kind }) => kind).toSorted());
  expect(counts).toMatchObject({ lost: 0, duplicates: 0, overIssued: 0, inversions: 0 });
  expect(counts.accepted).toBeGreaterThan(0);
  return broken.length === 0 ? [] : [...broken, ...details, session.lastWords()];
}

const planted = <G extends Ground>(on: G, inflict: HarmlessFault<G>['inflict']): HarmlessFault<G> => {
  return { kind: 'planted', meaning: '', on, harmless: true, unavailable: () => null, inflict };
};

test.skipIf(PGBOUNCER === null)(
  'a pooler that is killed, and one whose connections others hold: every promise is kept',
  async () => {
    await using session = await openSession('pooler');
    expect(await brokenPromises(session, poolerFaults)).toEqual([]);
  },
  LONG,
);

test(
  'sentinels promote a replica: every promise is kept where "accepted" means that it has what was accepted',
  async () => {
    await using session = await openSession('sentinel');
    expect(await brokenPromises(session, [sentinelFailover])).toEqual([]);
  },
  LONG,
);

test(
  'the same fault where "accepted" means the disk of the primary is found',
  async () => {
    await using session = await openSession('sentinel-disk');
    const behind = planted('sentinel-disk', async ({ watched }) => {
      const strike = await watched.fallBehind();
      await delay(BEHIND_MS);
      await strike();
      await watched.rejoin();
    });
    const { broken, counts } = await campaign(session, [behind], 1, NEVER_DRAINED_MS);
    expect(broken.join('\n')).toMatch(/ACCEPTED_NOT_ISSUED|row_without_admission|NOT_SETTLED/);
    expect(counts).toMatchObject({ duplicates: 0, overIssued: 0 });
  },
  LONG,
);

test(
  'a standby is promoted: every promise is kept if commits waited for it, and what is lost otherwise is found',
  async ({ skip }) => {
    await using plain = await openSession('plain');
    const missing = standbyPromoted.unavailable(plain.rig);
    if (missing !== null) skip(missing);
    await plain[Symbol.asyncDispose]();
    await using session = await openSession('standby');
    expect(await brokenPromises(session, [standbyPromoted])).toEqual([]);
    const behind = planted('standby', async ({ pair }) => {
      await pair.partStandby();
      await delay(BEHIND_MS);
      await pair.failOver();
      await pair.rejoin();
    });
    const { broken, counts } = await campaign(session, [behind], 2, NEVER_DRAINED_MS);
    expect(broken.join('\n')).toMatch(/ledger_behind|suspect/);
    expect(counts).toMatchObject({ duplicates: 0, overIssued: 0 });
  },
  LONG,
);
