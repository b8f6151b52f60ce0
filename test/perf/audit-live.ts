import { setTimeout as delay } from 'node:timers/promises';
import { runToEnd, start, type Running } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { startCleanAudit, type StartedAudit } from './clean-audit.ts';
import { median, type Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const CAMPAIGNS = 10;
const TOTAL = 10_000_000;
/** Issued before the drain begins. */
const ISSUED = 20_000;
/** A drain is slow at first. */
const WARM_UP_MS = 3_000;
/** A drain that has no more than so many left is looked at no longer: soon it would have nothing to do. */
const LITTLE = 20_000;
const ARRIVALS = '500/s';
/** By turns the audit runs and stands still for so long. */
const TURN_MS = 3_000;

/** Each with as many waiting users as keep it busy for half a minute or longer. */
const DRAINS = [
  { name: 'drain --interval 100ms', flags: ['--interval', '100ms'], backlog: 60_000 },
  { name: 'drain --eager', flags: ['--eager'], backlog: 200_000 },
];

/**
 * Live campaigns under load: many wait, 500 requests a second arrive, every tenth of them a repetition, and a drain is at work, at a pace
 * as in operation or as fast as it can. Each is audited once, by a process of its own, and that is stopped (SIGSTOP) for as long as it
 * runs, turn by turn, because the pace of a drain is never the same for long. No audit finds anything, and the drain issues nearly as
 * much while it is audited as while it is not.
 */
export async function auditLive(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const drain of DRAINS) {
    await using stores = await ownStores();
    const rounds: Round[] = [];
    for (let n = 1; n <= CAMPAIGNS; n += 1) {
      console.error(`${drain.name}, ${n} of ${CAMPAIGNS} …`);
      rounds.push(await campaign(stores, `live-${n}`, drain));
    }
    figures.push(figure(drain.name, rounds));
  }
  return figures;
}

interface Round {
  /** Issued a second. */
  alone: number;
  audited: number;
}

async function campaign(stores: OwnStores, id: string, { flags, backlog }: (typeof DRAINS)[number]): Promise<Round> {
  await issuedCampaign(stores, id, ISSUED, TOTAL);
  const submit = [...at(stores), '--quiet', 'submit', id];
  const early = await runToEnd([...submit, '--users', `${backlog}`, '--prefix', 'early-']);
  if (early.exitCode !== 0) throw new Error(`submit ended with ${early.exitCode}: ${early.stderr}`);
  const arrivals = start([...submit, '--users', '1000000', '--duplicates', '0.1', '--rate', ARRIVALS, '--prefix', 'late-']);
  const drain = start([...at(stores), '--quiet', 'drain', id, '--batch', '100', ...flags]);
  let audit: StartedAudit | null = null;
  try {
    await until(async () => (await issued(stores, id)) > ISSUED);
    await delay(WARM_UP_MS);
    audit = startCleanAudit(stores, id);
    return await paceByTurns(stores, id, audit, ISSUED + backlog - LITTLE);
  } finally {
    await Promise.all([ended(arrivals), ended(drain), audit?.audited]);
  }
}

/** Until the audit ends, or the drain has so little to do that it would say nothing. */
async function paceByTurns(stores: OwnStores, id: string, { child, audited }: StartedAudit, enough: number): Promise<Round> {
  const sums = { alone: new Pace(), audited: new Pace() };
  const runs = (): boolean => child.exitCode === null && child.signalCode === null;
  for (
    let turn: keyof typeof sums = 'audited';
    runs() && (await issued(stores, id)) < enough;
    turn = turn === 'alone' ? 'audited' : 'alone'
  ) {
    child.kill(turn === 'alone' ? 'SIGSTOP' : 'SIGCONT');
    const [before, began] = [await issued(stores, id), performance.now()];
    await Promise.race([audited, delay(TURN_MS)]);
    sums[turn].add((await issued(stores, id)) - before, performance.now() - began);
  }
  child.kill('SIGCONT');
  return { alone: sums.alone.perSecond, audited: sums.audited.perSecond };
}

class Pace {
  #issued = 0;
  #ms = 0;

  add(coupons: number, ms: number): void {
    this.#issued += coupons;
    this.#ms += ms;
  }

  get perSecond(): number {
    return (this.#issued / this.#ms) * 1_000;
  }
}

async function issued({ ledger }: OwnStores, id: string): Promise<number> {
  return (await ledger.coupon(id))!.issuedQuantity;
}

/** Both end with what they have begun, and without a complaint. */
async function ended({ child, finished }: Running): Promise<void> {
  child.kill('SIGTERM');
  const { exitCode, stderr } = await finished;
  if (exitCode !== 0) throw new Error(`the load ended with ${exitCode}: ${stderr}`);
}

function figure(name: string, rounds: readonly Round[]): Figure {
  const ratios = rounds.map(({ alone, audited }) => alone / audited);
  const middle = (pick: (round: Round) => number): string => median(rounds.map(pick)).toFixed(0);
  return {
    id: `audit-live-${name.replaceAll(/\W+/g, '-')}`,
    name: `${name}: issued alone : issued while audited`,
    value: median(ratios),
    bound: { atMost: 1.11 },
    detail:
      `median of ${CAMPAIGNS} audits, none of which found anything (${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}); ` +
      `${middle(({ alone }) => alone)}/s, ${middle(({ audited }) => audited)}/s`,
  };
}
