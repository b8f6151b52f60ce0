import { clear, runCampaign } from './campaign.ts';
import { runDestructive } from './destructive.ts';
import type { DestructiveFault, Fault, HarmlessFault } from './fault.ts';
import { machineOf, type Machine } from './machine.ts';
import type { SuiteOptions } from './options.ts';
import { planCampaigns, type PlannedCampaign } from './plan.ts';
import type { CampaignResult } from './result.ts';
import { openSession, type Session } from './session.ts';

export interface SeedResult {
  seed: number;
  campaigns: CampaignResult[];
}

export interface SuiteResult {
  seeds: SeedResult[];
  /** Why kinds were not run. */
  notRun: { kind: string; reason: string }[];
  machine: Machine;
}

/** All campaigns of all seeds; those of one seed follow one another. */
export async function runSuite(faults: readonly Fault[], options: SuiteOptions, say: (line: string) => void): Promise<SuiteResult> {
  const all = Array.from({ length: Math.min(options.abreast, options.seeds.length) }, () => new Grounds(say));
  const leaveAll = async (): Promise<void> => void (await Promise.all(all.map((grounds) => grounds.leave())));
  // Nothing that we started should outlive an interrupted run.
  const leave = (code: number) => () => void leaveAll().finally(() => process.exit(code));
  process.once('SIGINT', leave(130)).once('SIGTERM', leave(143));
  try {
    const { rig } = await all[0]!.session();
    const machine = await machineOf(rig);
    const wanted = options.only.length > 0 ? faults.filter(({ kind }) => options.only.includes(kind)) : faults;
    const notRun = wanted.flatMap(({ kind, unavailable }) => {
      const reason = unavailable(rig);
      return reason === null ? [] : [{ kind, reason }];
    });
    for (const { kind, reason } of notRun) say(`${kind}: not run, ${reason}`);
    const possible = wanted.filter(({ kind }) => notRun.every((missing) => missing.kind !== kind));
    const left = [...options.seeds];
    const seeds: SeedResult[] = [];
    const work = async (grounds: Grounds): Promise<void> => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
        seeds.push({ seed, campaigns: await runSeed(seed, possible, options.minutes, grounds, say) });
      }
    };
    await Promise.all(all.map(work));
    return { seeds: seeds.toSorted((a, b) => a.seed - b.seed), notRun, machine };
  } finally {
    await leaveAll();
  }
}

async function runSeed(
  seed: number,
  faults: readonly Fault[],
  minutes: number,
  grounds: Grounds,
  say: (line: string) => void,
): Promise<CampaignResult[]> {
  const harmless = new Map(faults.filter((fault): fault is HarmlessFault => fault.harmless).map((fault) => [fault.kind, fault]));
  const destructive = new Map(faults.filter((fault): fault is DestructiveFault => !fault.harmless).map((fault) => [fault.kind, fault]));
  const plans = planCampaigns(seed, { harmless: [...harmless.keys()], destructive: [...destructive.keys()] }, minutes);
  say(`seed ${seed}: ${plans.length} campaigns with ${plans.reduce((sum, plan) => sum + plan.faults.length, 0)} faults`);
  const results: CampaignResult[] = [];
  for (const plan of plans) {
    const began = performance.now();
    const session = await grounds.session();
    const blow = destructive.get(plan.faults[0]!.kind);
    const told = ({ kind, seconds }: { kind: string; seconds: number }): void => say(`  ${kind} ${seconds.toFixed(1)} s`);
    const result = blow ? await runDestructive(session.rig, plan, blow, told) : await runCampaign(session.rig, plan, harmless, told);
    results.push(result);
    say(`${verdictLine(plan, result)} (${((performance.now() - began) / 1_000).toFixed(0)} s)`);
    if (result.broken.length === 0) await clear(session.rig);
    else await grounds.burn(result);
  }
  return results;
}

function verdictLine({ name }: PlannedCampaign, { broken, counts, loss, inflicted }: CampaignResult): string {
  const { accepted, lost, duplicates, overIssued, inversions } = counts;
  const figures = [
    `${inflicted.length} faults`,
    `${accepted} accepted`,
    `${lost} lost`,
    `${duplicates} duplicate`,
    `${overIssued} over-issued`,
  ];
  if (loss) figures.push(`${loss.destroyed} destroyed`, loss.noticed ?? 'nothing to notice');
  else figures.push(`${inversions} out of turn`);
  return `${broken.length === 0 ? '✔' : '✘'} ${name}: ${figures.join(', ')}`;
}

/** The stores and processes that campaigns use one after another; after a failed one nobody knows what they are worth. */
class Grounds {
  readonly #say: (line: string) => void;
  #session: Session | null = null;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async session(): Promise<Session> {
    return (this.#session ??= await openSession());
  }

  async leave(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.[Symbol.asyncDispose]();
  }

  /** Tells all that there is to tell, and starts afresh. */
  async burn({ broken, details }: CampaignResult): Promise<void> {
    const session = await this.session();
    session.keepLogs();
    for (const line of [...broken.map((reason) => `  ✘ ${reason}`), ...details]) this.#say(line);
    this.#say(session.lastWords());
    this.#say(`the logs are in ${session.folder}`);
    await this.leave();
  }
}
