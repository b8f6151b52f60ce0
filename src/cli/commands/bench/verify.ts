import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BenchRun } from '../../../bench/run.ts';
import { judgeAgain } from '../../../bench/verify.ts';
import { CouponError, usageError } from '../../../lib/errors.ts';
import { benchSummary } from '../../../bench/report/summary.ts';
import { prepareOut, publish, RECORD_FILE } from './out.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import type { Env } from '../../env.ts';
import { EXIT } from '../../exit-codes.ts';
import { importedRun } from './import.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench verify report                  the folder that \`bench --out report\` wrote
  coupon-cli bench verify report/record.bin --out again
  coupon-cli bench verify --import results.csv --scenario my-sale.yaml
  coupon-cli bench verify --import access.ndjson --scenario my-sale.yaml --map user=uid,sent=start,elapsed=ms,status=code

Nothing is sent, and but for --import no store is read: the checker goes over the kept requests and the kept evidence once more. Exit codes are
those of the run: 4 when a coupon went wrong, 5 when that could not be told, 99 when a threshold failed; 2 for a file that is no
record, or not whole.`;

/** A hundred million requests, which is as many as a scenario can plan, take about as much. */
const MAX_BYTES = 2_000_000_000;

/** `bench verify`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  command
    .command('verify')
    .summary('judge a kept run again')
    .description('Judge a run again, from the record that --out kept.')
    .argument('[record]', 'a record.bin, or the folder with it')
    .option('--import <file>', 'judge what another load tool recorded instead: k6 (csv, json), JMeter (JTL as CSV), or any CSV or NDJSON')
    .option('--scenario <scenario>', 'with --import: its coupons, what replies mean, and where the truth is read')
    .option(
      '--map <field=column>',
      'with --import: where a field stands; several, joined by commas or repeated',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option(
      '--allow-target <host>',
      'with --import: let it read stores on this host (may be repeated)',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option('--out <dir>', 'leave reports there, as bench does')
    .addHelpText('after', EXAMPLES)
    .action(async (path, flags, self) => {
      await cli.run(self, async (context) => {
        const write = flags.out === undefined ? null : await prepareOut(context.env, flags.out, false);
        const kept =
          flags.import === undefined
            ? await recorded(context, path, flags)
            : await importedRun(context, { ...flags, file: flags.import, path });
        const report = flags.import === undefined ? judgeAgain(kept) : kept.report;
        context.out.data(report, (paint) => benchSummary(report, paint));
        const written = write === null || (await publish(context, { ...kept, report }, write));
        // As everywhere: a broken promise or an open question outranks a file that could not be written, a threshold does not.
        return written || (report.exitCode !== EXIT.ok && report.exitCode !== EXIT.threshold) ? report.exitCode : EXIT.failure;
      });
    });
};

async function recorded(
  context: Context,
  path: string | undefined,
  { scenario, map }: { scenario?: string | undefined; map: string[] },
): Promise<BenchRun> {
  if (path === undefined)
    throw usageError('BENCH_USAGE', 'no record is named', 'Name the folder that `bench --out DIR` wrote, or give --import FILE.');
  if (scenario !== undefined || map.length > 0)
    throw usageError(
      'BENCH_USAGE',
      '--scenario and --map are about --import',
      'A record holds its scenario; add --import FILE, or leave them out.',
    );
  const { decodeRun } = await import('../../../bench/record/kept-record.ts');
  return await decodeRun(await readRecord(context.env, path), path);
}

async function readRecord(env: Env, path: string): Promise<Uint8Array> {
  const full = resolve(env.cwd, path);
  try {
    const file = (await stat(full)).isDirectory() ? join(full, RECORD_FILE) : full;
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw refused(`${path} has ${size} bytes; at most ${MAX_BYTES} are read`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof CouponError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw refused(`${path} cannot be read (${code})`);
  }
}

function refused(message: string): CouponError {
  return usageError('BAD_RECORD', message, 'Name the record.bin of a folder that `bench --out DIR` wrote.');
}
