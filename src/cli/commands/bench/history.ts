import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { usageError } from '../../../lib/errors.ts';
import { figure } from '../../../lib/text/figures.ts';
import { listOf } from '../../../lib/text/table.ts';
import type { BenchReport } from '../../../bench/report/report.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { withTableFlags } from '../../output/table-flags.ts';
import { REPORT_FILE } from './out.ts';
import { readRun } from './read-report.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench history reports            every report below that folder, the oldest first
  coupon-cli bench history reports --json`;

/** Folders are looked into so deep. */
const DEPTH = 4;

/** `bench history`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  withTableFlags(command.command('history'))
    .summary('runs over time')
    .description('Show the runs whose reports lie below a folder, the oldest first.')
    .argument('<dir>', 'a folder in which `bench --out` left reports')
    .option('--scenario <name>', 'of this scenario alone')
    .addHelpText('after', EXAMPLES)
    .action(async (dir, flags, self) => {
      await cli.run(self, (context) => history(context, dir, flags.scenario));
    });
};

interface Run {
  folder: string;
  scenario: string;
  startedAt: string;
  verdict: BenchReport['verdict']['integrity'];
  exitCode: number;
  requests: number;
  accepted: number;
  acceptsPerSecond: number | null;
  /** Of accepted requests, milliseconds. */
  p50: number | null;
  p99: number | null;
}

async function history(context: Context, dir: string, wanted: string | undefined): Promise<void> {
  const root = resolve(context.env.cwd, dir);
  const runs: Run[] = [];
  for (const folder of await foldersIn(root, dir)) {
    const { report } = await readRun(context.env, folder);
    if (wanted === undefined || report.scenario.name === wanted) runs.push(runOf(relative(root, folder) || '.', report));
  }
  const sorted = runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  const show = (value: number | null): string => (value === null ? '–' : figure(value));
  context.out.data({ runs: sorted }, (paint) =>
    listOf(
      sorted,
      [
        { head: 'WHEN', value: ({ startedAt }) => startedAt, rank: 1 },
        { head: 'SCENARIO', value: ({ scenario }) => scenario, narrow: 'wrap' },
        {
          head: 'INTEGRITY',
          value: ({ verdict }) => (verdict === 'pass' ? 'proven' : verdict),
          look: ({ verdict }) => (verdict === 'pass' || verdict === 'held' ? paint.green : paint.red),
        },
        { head: 'ACCEPTED', value: ({ accepted }) => accepted, align: 'right' },
        { head: 'P50 MS', value: ({ p50 }) => show(p50), align: 'right', rank: 3 },
        { head: 'P99 MS', value: ({ p99 }) => show(p99), align: 'right' },
        { head: 'ACCEPTED/S', value: ({ acceptsPerSecond }) => show(acceptsPerSecond), align: 'right', rank: 2 },
        { head: 'FOLDER', value: ({ folder }) => folder, narrow: 'wrap' },
      ],
      paint,
      { empty: `no report lies below ${dir}` },
    ),
  );
}

async function foldersIn(root: string, shown: string): Promise<string[]> {
  try {
    const found = await readdir(root, { recursive: true, withFileTypes: true });
    return found
      .filter((file) => file.name === REPORT_FILE && relative(root, file.parentPath).split('/').length <= DEPTH)
      .map((file) => join(file.parentPath));
  } catch (error) {
    throw usageError(
      'BAD_REPORT',
      `${shown} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Name a folder in which `bench --out DIR` left reports.',
    );
  }
}

function runOf(folder: string, { scenario, startedAt, verdict, exitCode, outcomes, latency, throughput }: BenchReport): Run {
  return {
    folder,
    scenario: scenario.name,
    startedAt,
    verdict: verdict.integrity,
    exitCode,
    requests: scenario.requests,
    accepted: outcomes.accepted,
    acceptsPerSecond: throughput.acceptsPerSecond,
    p50: latency.accepted?.p50 ?? null,
    p99: latency.accepted?.p99 ?? null,
  };
}
