import { compareRuns } from '../../../bench/compare/compare.ts';
import type { Gate } from '../../../bench/compare/gate.ts';
import { benchComparison } from '../../../bench/compare/text.ts';
import { gateOf, readRun } from './read-report.ts';
import type { Configure } from '../../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench compare monday tuesday             folders that \`bench --out\` wrote, or their report.json
  coupon-cli bench compare a.json b.json --fail-on 'p(99)>+10%' --fail-on 'http_reqs: rate<-10%'
  coupon-cli bench compare a.json b.json --fail-on 'http_req_duration{outcome:accepted}: p(99.9)>+5'

Percentiles come from the histograms in the reports, so any of them can be asked for, and all are exact to three digits. Without
a metric each outcome's http_req_duration is judged; without % the limit is in the metric's own unit (ms for durations). Exit codes: 99 when a
--fail-on was hit, or cannot be told; 2 for files that are no reports.`;

/** `bench compare`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  command
    .command('compare')
    .summary('two runs side by side')
    .description('Show what changed from one run to another, and fail when that was too much.')
    .argument('<before>', 'a report.json, or the folder with it')
    .argument('<after>', 'another')
    .option(
      '--fail-on <limit>',
      "exit with 99 when this became worse, such as 'p(99)>+10%' (may be repeated)",
      (text: string, gates: Gate[]) => [...gates, gateOf(text)],
      [],
    )
    .addHelpText('after', EXAMPLES)
    .action(async (before, after, flags, self) => {
      await cli.run(self, async (context) => {
        const comparison = compareRuns(await readRun(context.env, before), await readRun(context.env, after), flags.failOn);
        if (comparison.before.scenario !== comparison.after.scenario || comparison.before.requests !== comparison.after.requests)
          context.out.warn('these are runs of different scenarios, or of different size');
        context.out.data(comparison, (paint) => benchComparison(comparison, paint));
        return comparison.exitCode;
      });
    });
};
