import { resolve } from 'node:path';
import type { TlsTrust } from '../../../bench/ports.ts';
import type { BenchReport } from '../../../bench/report/report.ts';
import type { EvidenceSource } from '../../../bench/evidence/source.ts';
import { usageError } from '../../../lib/errors.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import { actionsOf } from '../../../bench/scenario/steps.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import { parseStrategies, type Strategy } from '../../../campaign/strategy.ts';
import { parseTarget } from '../../../bench/scenario/target.ts';
import { benchSummary } from '../../../bench/report/summary.ts';
import { strategyTable } from '../../../bench/compare/strategy-table.ts';
import { prepareOut, publish } from './out.ts';
import type { Context } from '../../context.ts';
import { actionsFor } from './actions.ts';
import { evidenceOpener, storesOf } from './evidence.ts';
import { EXIT } from '../../exit-codes.ts';
import { ownStack } from './own-stack.ts';
import { runRounds, type Service } from './rounds.ts';
import { loadScenario, trustOf, type LoadedScenario } from './scenarios.ts';
import { requireAllowedHost, requireAllowedStore } from '../../targets.ts';
import type { Configure } from '../../command.ts';
import { configure as configureCheck } from './check.ts';
import { compareRuns, type ComparedRun } from '../../../bench/compare/compare.ts';
import type { Gate } from '../../../bench/compare/gate.ts';
import { benchComparison } from '../../../bench/compare/text.ts';
import { gateOf, readRun } from './read-report.ts';
import { configure as configureHistory } from './history.ts';
import { checkFlags, type BenchFlags } from './flags.ts';
import { configure as configureInit } from './init/init.ts';
import { configure as configureList } from './list.ts';
import { configure as configureCompare } from './compare.ts';
import { configure as configureTry } from './try.ts';
import { configure as configureVerify } from './verify.ts';
import { configureWorker } from './worker.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench list                               scenarios that come with the program
  coupon-cli bench smoke --stack                      on stores, a server and a drain of its own
  coupon-cli bench flash-sale --stack --out report    with a page to look at: report/report.html
  coupon-cli bench flash-sale --stack --strategy all
                                                      a row lock, three separate calls and ours, side by side
  coupon-cli bench check my-sale.yaml                 is it right, and what can it prove? Nothing is sent
  coupon-cli bench my-sale.yaml --url http://127.0.0.1:8080
                                                      on a server of yours; its coupons are seeded by you
                                                      (a third-party service: copy scenarios/foreign-service.example.yaml)

Exit codes: 4 when a coupon went to a user who should not have it, or an accepted user lost one; 5 when that could not be
told; 99 when a threshold failed. The first Ctrl+C stops the load, and what was sent is still verified.`;

export const configure: Configure = (command, cli) => {
  command.usage('[run] [options] <scenario...>').addHelpText('after', EXAMPLES);

  command
    .command('run', { isDefault: true })
    .summary('run scenarios, one after another')
    .description('Load an endpoint as the scenario says, wait for the drain, and compare every request with both stores.')
    .argument('<scenario...>', 'a YAML file, or the name of a scenario that comes with the program')
    .option('--stack', 'bring up stores, a server and a drain for it, apart from any others')
    .option('--keep', 'leave the stores of --stack running')
    .option(
      '--strategy <names>',
      'with --stack: how its server decides; several, or all, are run side by side (see serve)',
      parseStrategies,
    )
    .option('--url <url>', 'the endpoint; what it did is read from the configured stores')
    .option('--allow-target <host>', 'let it work with stores or an endpoint on this host (may be repeated)', collect, [])
    .option('--allow-coupon <id>', 'let it use what is left of a coupon that is in use (may be repeated)', collect, [])
    .option('--insecure', 'take any certificate of an https endpoint; the report says so')
    .option(
      '--processes <n>',
      'make the load from so many processes, each with users of its own',
      (text: string) => parseWhole(text, '--processes', 1, 64),
      1,
    )
    .option('--run-commands', 'let it run the programs that the steps of a scenario name')
    .option('--prepared <file>', 'keep what users were prepared with (tokens, cookies) there for the next run')
    .option('--baseline <report>', 'compare the run with this report of an earlier one')
    .option(
      '--fail-on <limit>',
      "with --baseline: end with 99 when this became worse, such as 'p(99)>+10%' (may be repeated)",
      (text: string, gates: Gate[]) => [...gates, gateOf(text)],
      [],
    )
    .option('--out <dir>', 'leave reports there: an HTML page, JSON, JUnit, Markdown, and the record for `bench verify`')
    .addHelpText('after', EXAMPLES)
    .action(async (names, flags, self) => {
      await cli.run(self, async (context) => {
        checkFlags(flags);
        // All of them first: a mistake in the second should not come to light after minutes.
        const scenarios: LoadedScenario[] = [];
        for (const name of names) scenarios.push(await loadScenario(context.env, name));
        return run(context, scenarios, flags);
      });
    });

  configureCheck(command, cli);
  configureTry(command, cli);
  configureInit(command, cli);
  configureList(command, cli);
  configureCompare(command, cli);
  configureHistory(command, cli);
  configureVerify(command, cli);
  configureWorker(command, cli);
};

const collect = (value: string, values: string[]): string[] => [...values, value];

async function run(context: Context, scenarios: readonly LoadedScenario[], flags: BenchFlags): Promise<number> {
  const runs = scenarios.flatMap((scenario) => (flags.strategy ?? ['atomic' as const]).map((strategy) => ({ scenario, strategy })));
  const write = flags.out === undefined ? null : await prepareOut(context.env, flags.out, runs.length > 1);
  const baseline = flags.baseline === undefined ? null : await readRun(context.env, flags.baseline);
  const actions = new Map(scenarios.map((scenario) => [scenario, actionsFor(context, scenario, flags, 'bench')]));
  const trust = new Map<Scenario, TlsTrust>();
  for (const scenario of scenarios) trust.set(scenario, await trustOf(scenario, flags.insecure === true));
  const reports: BenchReport[] = [];
  const ready = flags.stack ? await onStack(context, scenarios, flags) : await onEndpoint(context, scenarios, flags);
  const stop = context.stopSignal();
  const unwritten: number[] = [];
  for (const { scenario, strategy } of runs) {
    if (stop.aborted) break;
    const { allowCoupon: allowCoupons, processes, prepared: preparedFile } = flags;
    const done = await runRounds(context, {
      scenario,
      ready: () => ready(scenario, strategy),
      tls: trust.get(scenario)!,
      signal: stop,
      actions: actions.get(scenario),
      allowCoupons,
      processes,
      preparedFile: preparedFile === undefined ? undefined : resolve(context.env.cwd, preparedFile),
    });
    if (!done) break;
    const { report } = done;
    reports.push(report);
    if (!context.out.json) context.out.item(report, (paint) => `${benchSummary(report, paint)}\n`);
    if (!(await publish(context, done, write))) unwritten.push(EXIT.failure);
  }
  const cut = stop.aborted && reports.length < runs.length ? [stop.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted] : [];
  const slower = await compared(context, baseline, reports, flags.failOn);
  const exitCode = worst([...cut, ...slower, ...unwritten, ...reports.map((report) => report.exitCode)]);
  if (flags.strategy && reports.length > 1 && !context.out.json) context.out.item(null, (paint) => `\n${strategyTable(reports, paint)}\n`);
  if (context.out.json)
    context.out.data(runs.length === 1 && reports.length === 1 ? reports[0] : { schemaVersion: 1, reports, exitCode }, () => '');
  return exitCode;
}

/** What became worse since an earlier run; nothing where there is none. */
async function compared(
  context: Context,
  baseline: ComparedRun | null,
  reports: readonly BenchReport[],
  failOn: readonly Gate[],
): Promise<number[]> {
  const [report] = reports;
  if (!baseline || !report) return [];
  const { storedLatencies } = await import('../../../bench/record/stored-latencies.ts');
  const comparison = compareRuns(baseline, { report, latencies: storedLatencies(report) }, failOn);
  const text = benchComparison(comparison, context.out.notePaint);
  if (context.out.json) context.out.note(text);
  else context.out.item(comparison, () => `${text}\n`);
  return [comparison.exitCode];
}

async function onStack(
  context: Context,
  scenarios: readonly Scenario[],
  flags: BenchFlags,
): Promise<(scenario: Scenario, strategy: Strategy) => Promise<Service>> {
  const foreign = scenarios.find((scenario) => scenario.evidence.kind === 'foreign');
  if (foreign) {
    throw usageError(
      'BENCH_USAGE',
      `scenario "${foreign.name}" verifies against another service, and --stack starts ours`,
      'Give --url, or take the sources (redis, sql, csv, replies) out of verify.',
    );
  }
  const withSql = scenarios.find((scenario) => actionsOf(scenario).some((action) => 'sql' in action));
  if (withSql)
    throw usageError(
      'BENCH_USAGE',
      `scenario "${withSql.name}" changes the database of the settings, and --stack has one of its own`,
      'Give --url, or take the steps with sql out.',
    );
  const stack = await ownStack(context, { name: 'bench', keep: flags.keep === true });
  return async (scenario, strategy) => ({ evidence: stack.evidence, urls: stack.urls, ...(await stack.start(scenario, strategy)) });
}

async function onEndpoint(
  context: Context,
  scenarios: readonly Scenario[],
  flags: BenchFlags,
): Promise<(scenario: Scenario) => Promise<Service>> {
  for (const { name, timeline } of scenarios) {
    if (timeline.length === 0) continue;
    throw usageError(
      'TIMELINE_NEEDS_STACK',
      `scenario "${name}" has a timeline that kills processes and restarts stores`,
      'Add --stack: only what bench starts itself is killed.',
    );
  }
  const targets = new Map(scenarios.map((scenario) => [scenario, targetOf(scenario, flags)]));
  for (const target of targets.values()) requireAllowedHost(target, flags.allowTarget, 'bench');
  for (const store of storesOf(scenarios.map((scenario) => scenario.evidence)))
    requireAllowedStore(context, store, flags.allowTarget, 'bench');
  const open = evidenceOpener(context);
  const sources = new Map<Scenario, EvidenceSource>();
  for (const scenario of scenarios) sources.set(scenario, await open(scenario.evidence));
  return async (scenario) => ({ target: targets.get(scenario)!, evidence: sources.get(scenario)!, stop: async () => undefined });
}

function targetOf(scenario: Scenario, flags: BenchFlags): string {
  const target = flags.url === undefined ? scenario.target : parseTarget(flags.url);
  if (target !== null) return target;
  throw usageError(
    'BENCH_TARGET_MISSING',
    `scenario "${scenario.name}" names no target`,
    'Add --stack to try it on a service of its own, or --url for a server of yours.',
  );
}

/** By precedence: broken, signal, inconclusive, unreachable, threshold. */
function worst(codes: readonly number[]): number {
  return (
    [EXIT.broken, EXIT.terminated, EXIT.interrupted, EXIT.inconclusive, EXIT.unreachable, EXIT.failure, EXIT.threshold].find((code) =>
      codes.includes(code),
    ) ?? EXIT.ok
  );
}
