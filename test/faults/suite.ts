import { clear, runCampaign } from './campaign.ts';
import { runDestructive } from './destructive.ts';
import type { DestructiveFault, Fault, Ground, HarmlessFault } from './fault.ts';
import { machineOf, type Machine } from './machine.ts';
import type { SuiteOptions } from './options.ts';
import { planCampaigns, type PlannedCampaign } from './plan.ts';
import type { CampaignResult, Inflicted } from './result.ts';
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
    const { rig } = await all[0]!.session('plain');
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
  const plans = planCampaigns(seed, faults, minutes);
  say(`seed ${seed}: ${plans.length} campaigns with ${plans.reduce((sum, plan) => sum + plan.faults.length, 0)} faults`);
  const results: CampaignResult[] = [];
  for (const plan of plans) {
    const began = performance.now();
    const session = await grounds.session(plan.on);
    const told = ({ kind, seconds }: { kind: string; seconds: number }): void => say(`  ${kind} ${seconds.toFixed(1)} s`);
    const result = await runPlanned(session, plan, faults, told);
    results.push(result);
    say(`${verdictLine(plan, result)} (${((performance.now() - began) / 1_000).toFixed(0)} s)`);
    if (result.broken.length === 0) await clear(session.rig);
    else await grounds.burn(result);
  }
  return results;
}

async function runPlanned<G extends Ground>(
  { ground, rig }: Session<G>,
  plan: PlannedCampaign,
  faults: readonly Fault[],
  told: (fault: Inflicted) => void,
): Promise<CampaignResult> {
  const here = faults.filter((fault): fault is Fault & (HarmlessFault<G> | DestructiveFault<G>) => fault.on === ground);
  const first = here.find(({ kind }) => kind === plan.faults[0]!.kind);
  if (first?.harmless === false) return await runDestructive(rig, plan, first as DestructiveFault<G>, told);
  return await runCampaign(rig, plan, new Map(here.map((fault) => [fault.kind, fault as HarmlessFault<G>])), told);
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

  /** One at a time: leaves the other ground. */
  async session<G extends Ground>(ground: G): Promise<Session<G>> {
    if (this.#session?.ground !== ground) await this.leave();
    this.#session ??= await openSession(ground);
    return this.#session as Session<G>;
  }

  async leave(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.[Symbol.asyncDispose]();
  }

  /** Tells all that there is to tell, and starts afresh. */
  async burn({ broken, details }: CampaignResult): Promise<void> {
    const session = this.#session!;
    session.keepLogs();
    for (const line of [...broken.map((reason) => `  ✘ ${reason}`), ...details]) this.#say(line);
    this.#say(session.lastWords());
    this.#say(`the logs are in ${session.folder}`);
    await this.leave();
  }
}
