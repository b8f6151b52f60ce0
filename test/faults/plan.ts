/** What will be inflicted, and when: everything follows from the seed. */
import type { Random } from './fault.ts';
import { seededRandom, shuffled } from './random.ts';

export interface PlannedFault {
  kind: string;
  /** Time before it. */
  pauseMs: number;
  /** For the choices within the fault, so that none depends on what became of the others. */
  seed: number;
}

/** Fresh coupons under load, and faults one after another. A destructive campaign has one. */
export interface PlannedCampaign {
  name: string;
  seed: number;
  /** Pieces of the coupon that everybody asks for. */
  total: number;
  /** Of the one that some ask for as well. */
  otherTotal: number;
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

export interface Kinds {
  harmless: readonly string[];
  destructive: readonly string[];
}

/** Each kind is there before any kind is there again. */
export function planCampaigns(seed: number, kinds: Kinds, minutes: number): PlannedCampaign[] {
  const random = seededRandom(seed);
  const count = kinds.harmless.length === 0 ? 0 : Math.max(1, Math.round((FAULTS * minutes) / MINUTES));
  const faults = shuffled(inTurn(kinds.harmless, count, random), random);
  const campaigns: PlannedCampaign[] = [];
  const add = (planned: readonly string[], seconds: number, soldOut: boolean): void => {
    const name = `s${seed}-${campaigns.length + 1}`;
    const rate = random.int(200, 300);
    const demand = rate * seconds;
    campaigns.push({
      name,
      seed: random.int(0, 0xffff_ffff),
      rate,
      total: Math.round(soldOut ? demand * (0.3 + 0.4 * random.next()) : demand * 5),
      otherTotal: random.int(20, Math.round(demand / 6)),
      faults: planned.map((kind) => ({ kind, pauseMs: random.int(PAUSE_MS.min, PAUSE_MS.max), seed: random.int(0, 0xffff_ffff) })),
    });
  };
  for (let from = 0; from < count; from += FAULTS_PER_CAMPAIGN) {
    const planned = faults.slice(from, from + FAULTS_PER_CAMPAIGN);
    add(planned, planned.length * FAULT_S, campaigns.length % 2 === 1);
  }
  // A stock that nobody exhausts: how many a blow may take with it is then a matter of the blow alone.
  for (const kind of inTurn(kinds.destructive, kinds.destructive.length * Math.max(1, Math.round(minutes / MINUTES)), random)) {
    add([kind], FAULT_S * 4, false);
  }
  return campaigns;
}

/** So many items, all of them in each round. */
function inTurn(items: readonly string[], count: number, random: Random): string[] {
  const chosen: string[] = [];
  while (chosen.length < count) chosen.push(...shuffled(items, random));
  return chosen.slice(0, count);
}
