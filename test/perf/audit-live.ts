import { setTimeout as delay } from 'node:timers/promises';
import { runToEnd, start, type Running } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { cleanAudit } from './clean-audit.ts';
import { median, repeated, type Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const ID = 'live';
const AUDITS = 6;
const TOTAL = 10_000_000;
/** Issued before the campaign is looked at. */
const ISSUED = 20_000;
/** Waiting at the beginning of each round, so that no drain runs dry in it. */
const BACKLOG = 100_000;
const ARRIVALS = '500/s';

const DRAINS = {
  'drain --interval 100ms': ['--interval', '100ms', '--batch', '100'],
  'drain --eager': ['--eager', '--batch', '100'],
};

/**
 * A live campaign under load: 100,000 users are issued and about as many wait, 500 requests a second arrive, every tenth of them a
 * repetition, and a drain is at work, once at a pace as in operation and once as fast as it can. Ten times the whole campaign is audited,
 * each time by a process of its own, and afterwards left alone for as long. No audit finds anything, and the drain issues
 * nearly as much while it is audited as while it is not.
 */
export async function auditLive(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, flags] of Object.entries(DRAINS)) {
    await using stores = await ownStores();
    await issuedCampaign(stores, ID, ISSUED, TOTAL);
    figures.push(await underLoad(stores, name, flags));
  }
  return figures;
}

async function underLoad(stores: OwnStores, name: string, flags: readonly string[]): Promise<Figure> {
  let asked = 0;
  const fill = async (): Promise<void> => {
    const { waiting } = await stores.claims.backlog(ID);
    if (waiting >= BACKLOG) return;
    const users = BACKLOG - waiting;
    const submitted = await runToEnd([...at(stores), '--quiet', 'submit', ID, '--users', `${users}`, '--prefix', `early-${asked}-`]);
    if (submitted.exitCode !== 0) throw new Error(`submit ended with ${submitted.exitCode}: ${submitted.stderr}`);
    asked += users;
  };
  await fill();
  const arrivals = start([
    ...at(stores),
    '--quiet',
    'submit',
    ID,
    '--users',
    '1000000',
    '--duplicates',
    '0.1',
    '--rate',
    ARRIVALS,
    '--prefix',
    'late-',
  ]);
  const drain = start([...at(stores), '--quiet', 'drain', ID, ...flags]);
  try {
    await until(async () => (await issued(stores)) > ISSUED);
    const rounds = await repeated(AUDITS, async () => {
      await fill();
      const audited = await pace(stores, async () => void (await cleanAudit(stores, ID)));
      console.error(name, audited);
      const alone = await pace(stores, () => delay(audited.seconds * 1_000));
      console.error(name, alone, alone.perSecond / audited.perSecond);
      return { audited, alone };
    });
    return figure(name, rounds);
  } finally {
    await Promise.all([ended(arrivals), ended(drain)]);
  }
}

interface Pace {
  seconds: number;
  perSecond: number;
}

/** What the drain issues while something else happens. */
async function pace(stores: OwnStores, meanwhile: () => Promise<void>): Promise<Pace> {
  const [before, started] = [await issued(stores), performance.now()];
  await meanwhile();
  const [after, seconds] = [await issued(stores), (performance.now() - started) / 1_000];
  if ((await stores.claims.backlog(ID)).waiting === 0) throw new Error('the drain ran dry: the figure would say nothing');
  return { seconds, perSecond: (after - before) / seconds };
}

async function issued({ ledger }: OwnStores): Promise<number> {
  return (await ledger.coupon(ID))!.issuedQuantity;
}

/** Both end with what they have begun, and without a complaint. */
async function ended({ child, finished }: Running): Promise<void> {
  child.kill('SIGTERM');
  const { exitCode, stderr } = await finished;
  if (exitCode !== 0) throw new Error(`the load ended with ${exitCode}: ${stderr}`);
}

function figure(name: string, rounds: readonly { audited: Pace; alone: Pace }[]): Figure {
  const ratios = rounds.map(({ audited, alone }) => alone.perSecond / audited.perSecond);
  const middle = (pick: (round: (typeof rounds)[number]) => number, digits = 0): string => median(rounds.map(pick)).toFixed(digits);
  return {
    name: `${name}: issued alone : issued while audited`,
    value: median(ratios),
    bound: 1.11,
    detail:
      `medians of ${AUDITS} audits of ${middle(({ audited }) => audited.seconds, 1)} s, none of which found anything: ` +
      `${middle(({ alone }) => alone.perSecond)}/s, ${middle(({ audited }) => audited.perSecond)}/s`,
  };
}
