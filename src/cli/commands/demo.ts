import type { BenchReport } from '../../bench/report/report.ts';
import { compareStrategies } from '../../bench/compare/strategies.ts';
import type { Scenario } from '../../bench/scenario/scenario.ts';
import { demoReport } from '../../bench/compare/demo-report.ts';
import { strategyTable } from '../../bench/compare/strategy-table.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ownStack, type OwnStack } from './bench/own-stack.ts';
import { runBench } from './bench/run-bench.ts';
import { loadScenario } from './bench/scenarios.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli demo
  coupon-cli demo --keep          leave Redis and PostgreSQL running, to look around
  coupon-cli demo --quick         without the comparison
  coupon-cli demo --json          the full report

The demo has a Redis and a PostgreSQL of its own; REDIS_URL, DATABASE_URL and .env play no part.`;

export const configure: Configure = (command, cli) => {
  command
    .description('See a whole flash sale happen and be proven: stores, server, drain, 10,000 users for 1,000 coupons. Under a minute.')
    .option('--keep', 'leave the stores running at the end')
    .option('--quick', 'leave out the same rush with a row lock and with three separate calls')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const { out } = context;
        const scenario = await loadScenario(context.env, 'flash-sale');
        const stack = await ownStack(context, { name: 'demo', keep: flags.keep === true });
        const signal = context.stopSignal();
        out.note('Seeding the coupons, starting `serve` and `drain` …');
        const { target, strategy, stop } = await stack.start(scenario);
        if (signal.aborted) return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
        out.note(`The sale is open at ${target}: ${scenario.users.count} users ask at once.`);
        const { report } = await runBench(context, { scenario, target, strategy, evidence: stack.evidence, signal });
        await stop();
        const others = flags.quick ? [] : await baselines(context, stack, scenario, signal);
        out.data({ ...report, comparison: compareStrategies([...others, report]) }, (paint) =>
          [
            demoReport(report, paint),
            ...(others.length > 0
              ? ['', paint.bold('The same rush, decided in other ways:'), '', strategyTable([...others, report], paint)]
              : []),
            '',
            'Next: coupon-cli bench flash-sale --stack --out report',
            '      shows the same on a page; docs/first-campaign.md leads to one of your own.',
            '',
          ].join('\n'),
        );
        return report.exitCode;
      });
    });
};

/** The same rush decided by a row lock, and by three separate calls. Cut short by a signal: what there is. */
async function baselines(context: Context, stack: OwnStack, scenario: Scenario, signal: AbortSignal): Promise<BenchReport[]> {
  const reports: BenchReport[] = [];
  for (const strategy of ['rdb-lock', 'three-calls'] as const) {
    if (signal.aborted) break;
    context.out.note(`The same rush again, with \`serve --strategy ${strategy}\` …`);
    const { stop, ...service } = await stack.start(scenario, strategy);
    const { report } = await runBench(context, { scenario, ...service, evidence: stack.evidence, signal });
    await stop();
    if (!signal.aborted) reports.push(report);
  }
  return reports;
}
