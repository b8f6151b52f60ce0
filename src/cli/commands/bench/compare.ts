import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compareRuns } from '../../../bench/compare/compare.ts';
import type { ComparedRun } from '../../../bench/compare/compare.ts';
import { CouponError, usageError } from '../../../lib/errors.ts';
import { parseGate } from '../../../bench/compare/gate.ts';
import type { Gate } from '../../../bench/compare/gate.ts';
import { benchComparison } from '../../../bench/compare/text.ts';
import { REPORT_FILE } from './out.ts';
import type { Configure } from '../../command.ts';
import type { Env } from '../../env.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench compare monday tuesday             folders that \`bench --out\` wrote, or their report.json
  coupon-cli bench compare a.json b.json --fail-on 'p(99)>+10%' --fail-on 'http_reqs: rate<-10%'
  coupon-cli bench compare a.json b.json --fail-on 'http_req_duration{outcome:accepted}: p(99.9)>+5'

Percentiles come from the histograms in the reports, so any of them can be asked for, and all are exact to three digits. Without
a metric http_req_duration is meant; without % the limit is in the metric's own unit (ms for durations). Exit codes: 99 when a
--fail-on was hit, or cannot be told; 2 for files that are no reports.`;

/** The longest load makes a report of a few MB. */
const MAX_BYTES = 64 * 1_048_576;

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

function gateOf(text: string): Gate {
  const gate = parseGate(text);
  if ('problem' in gate) throw usageError('BAD_FAIL_ON', gate.problem, 'See `coupon-cli bench compare --help`.');
  return gate;
}

async function readRun(env: Env, path: string): Promise<ComparedRun> {
  const [{ benchReportSchema, withAllOutcomes }, { storedLatencies }] = await Promise.all([
    import('../../../bench/report/schema.ts'),
    import('../../../bench/record/stored-latencies.ts'),
  ]);
  const full = resolve(env.cwd, path);
  let text: string;
  try {
    const file = (await stat(full)).isDirectory() ? join(full, REPORT_FILE) : full;
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw bad(`${path} has ${size} bytes; at most ${MAX_BYTES} are read`);
    text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof CouponError) throw error;
    throw bad(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const read = benchReportSchema.safeParse(withAllOutcomes(JSON.parse(text)));
    if (!read.success) {
      const { path: field, message } = read.error.issues[0]!;
      throw bad(`${path} is not a report of bench: ${field.join('.') || 'the whole'}: ${message}`);
    }
    const { outcomes, scenario } = read.data;
    const counted = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    if (counted !== scenario.requests)
      throw bad(`${path} is not a report of bench: it speaks of ${scenario.requests} requests and counts ${counted} outcomes`);
    return { report: read.data, latencies: storedLatencies(read.data) };
  } catch (error) {
    if (error instanceof CouponError) throw error;
    throw bad(`${path} is not a report of bench: ${error instanceof SyntaxError ? 'it is not JSON' : 'its histograms cannot be read'}`);
  }
}

function bad(message: string) {
  return usageError(
    'BAD_REPORT',
    message,
    'Name the report.json of a folder that `bench --out DIR` wrote, or what `bench --json` printed.',
  );
}
