/** What will be inflicted, and when: everything follows from the seed. */
import type { Fault, Ground, Random } from './fault.ts';
import { seededRandom, shuffled } from './random.ts';

export interface PlannedFault {
  kind: string;
  /** Time before it. */
  pauseMs: number;
  /** For the choices within the fault, so that none depends on what became of the others. */
  seed: number;
}

/** Fresh coupons on one ground under load, and faults one after another. A destructive campaign has one. */
export interface PlannedCampaign {
  name: string;
  on: Ground;
  seed: number;
  /** Pieces of the coupon that everybody asks for, and of the one that some ask for as well. One of the two is sold out on the way. */
  totals: [number, number];
  /** Which of the two is not, and so has users waiting all the time. */
  lasting: 0 | 1;
  /** New users a second. */
  rate: number;
  faults: PlannedFault[];
}

/** In five minutes; the rest of the time goes to the campaigns with destructive faults. */
const FAULTS = 72;
const FAULTS_PER_CAMPAIGN = 12;
const MINUTES = 5;
/** What a fault takes with its pause, roughly: the demand of a campaign is guessed from it. */
const FAULT_S = 3;
const PAUSE_MS = { min: 200, max: 1_200 };
/** Users who ask for the second coupon too. */
export const OTHER_SHARE = 0.25;

/** On each of the other grounds in five minutes, of each kind. */
const ELSEWHERE = 2;
const PLAIN: Ground = 'plain';

export type Plannable = Pick<Fault, 'kind' | 'on' | 'harmless'>;

/** Each kind is there before any kind is there again. Harmless ones come first, and on each ground what it has. */
export function planCampaigns(seed: number, faults: readonly Plannable[], minutes: number): PlannedCampaign[] {
  const random = seededRandom(seed);
  const campaigns: PlannedCampaign[] = [];
  const add = (on: Ground, planned: readonly string[], seconds: number): void => {
    const rate = random.int(200, 300);
    const demand = rate * seconds;
    const part = 0.3 + 0.4 * random.next();
    const lasting = campaigns.length % 2 === 0 ? 0 : 1;
    const soldOut = Math.round(part * demand * (lasting === 0 ? OTHER_SHARE : 1));
    campaigns.push({
      name: `s${seed}-${campaigns.length + 1}`,
      on,
      seed: seedOf(random),
      rate,
      totals: lasting === 0 ? [demand * 5, soldOut] : [soldOut, demand * 5],
      lasting,
      faults: planned.map((kind) => ({ kind, pauseMs: random.int(PAUSE_MS.min, PAUSE_MS.max), seed: seedOf(random) })),
    });
  };
  const grounds = [...new Set<Ground>([PLAIN, ...faults.map(({ on }) => on)])];
  for (const on of grounds) {
    const kinds = faults.filter((fault) => fault.on === on && fault.harmless).map(({ kind }) => kind);
    if (kinds.length === 0) continue;
    const most = on === PLAIN ? FAULTS : ELSEWHERE * kinds.length;
    const drawn = shuffled(inTurn(kinds, Math.max(1, Math.round((most * minutes) / MINUTES)), random), random);
    for (let from = 0; from < drawn.length; from += FAULTS_PER_CAMPAIGN) {
      const planned = drawn.slice(from, from + FAULTS_PER_CAMPAIGN);
      add(on, planned, planned.length * FAULT_S);
    }
  }
  const rounds = Math.max(1, Math.round(minutes / MINUTES));
  for (const on of grounds) {
    const kinds = faults.filter((fault) => fault.on === on && !fault.harmless).map(({ kind }) => kind);
    for (const kind of inTurn(kinds, kinds.length * rounds, random)) add(on, [kind], FAULT_S * 4);
  }
  return campaigns;
}

function seedOf(random: Random): number {
  return random.int(0, 0xffff_ffff);
}

/** So many items, all of them in each round. */
function inTurn(items: readonly string[], count: number, random: Random): string[] {
  const chosen: string[] = [];
  while (chosen.length < count) chosen.push(...shuffled(items, random));
  return chosen.slice(0, count);
}
