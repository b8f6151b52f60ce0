import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { CouponError, usageError } from '../../lib/errors.ts';
import type { ExportLedger } from '../../operate/remove/ports.ts';
import type { Context } from '../context.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { knownCoupon } from '../../campaign/known-coupon.ts';
import { csvHeader, EXPORT_FORMATS, exportLine, type ExportFormat } from '../../operate/export.ts';
import { plural } from '../../lib/text/figures.ts';
import type { Configure } from '../command.ts';
import { ledgerWithRights } from '../rights.ts';

const PAGE = 2_000;

export const configure: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--format <format>', 'csv or jsonl', 'csv')
    .option('--out <file>', 'write it there instead of to stdout; a file that exists is kept')
    .addHelpText(
      'after',
      '\nExamples:\n  coupon-cli export summer > issued.csv\n  coupon-cli export summer | tail -n +2 | sort -t, -k3,3 > by-request-time.csv\n  coupon-cli export summer --format jsonl --out issued.jsonl',
    )
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const format = EXPORT_FORMATS.find((one) => one === flags.format);
        if (format === undefined) throw usageError('EXPORT_USAGE', `"${flags.format}" is no format`, `Use ${EXPORT_FORMATS.join(' or ')}.`);
        const ledger = await ledgerWithRights(context, 'export');
        const coupon = await knownCoupon(ledger, parseCouponId(id));
        const begunAt = await ledger.now();
        const pages = rowsOf(ledger, coupon.id);
        if (flags.out === undefined) {
          if (format === 'csv') context.env.stdout.write(csvHeader());
          let rows = 0;
          for await (const page of pages) {
            rows += page.length;
            context.env.stdout.write(textOf(page, coupon.id, format));
            // A reader that is slower than the ledger would have all of it kept here.
            await context.env.stdout.drained?.();
          }
          await note(context, ledger, coupon, { rows, format, begunAt });
          return;
        }
        const rows = await toFile(resolve(context.env.cwd, flags.out), flags.out, pages, coupon.id, format);
        await note(context, ledger, coupon, { rows, format, begunAt });
        context.out.done({ file: flags.out, rows }, () => `${plural(rows, 'issued coupon')} of ${coupon.id} in ${flags.out}`);
      });
    });
};

/** The list is whole whatever becomes of the note, as on a standby, which takes no writes. */
async function note(
  context: Context,
  ledger: ExportLedger,
  coupon: LedgerCoupon,
  about: { rows: number; format: string; begunAt: Date },
): Promise<void> {
  try {
    await ledger.noteExport(randomUUID(), coupon, { ...about, byWhom: context.operator });
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    context.out.warn(`the export is not in the log, so \`purge\` will not know of it: ${error.why ?? error.message}`);
  }
}

type Page = Parameters<typeof exportLine>[0][];

/** Page by page, so that a million rows take no more memory than a few thousand. */
async function* rowsOf(
  ledger: { page(couponId: string, after: string, limit: number): Promise<Page> },
  couponId: string,
): AsyncGenerator<Page> {
  for (let after = ''; ;) {
    const page = await ledger.page(couponId, after, PAGE);
    if (page.length === 0) return;
    yield page;
    after = page.at(-1)!.userId;
  }
}

function textOf(page: Page, couponId: string, format: ExportFormat): string {
  return page.map((row) => exportLine(row, couponId, format)).join('');
}

/** @throws CouponError `EXPORT_USAGE`; no file is left behind then */
async function toFile(path: string, shown: string, rows: AsyncIterable<Page>, couponId: string, format: ExportFormat): Promise<number> {
  const refused = (error: unknown): unknown => {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) return error;
    if (code === 'EEXIST') return usageError('EXPORT_USAGE', `${shown} exists already`, 'Name another file; nothing is overwritten.');
    return usageError('EXPORT_USAGE', `${shown} cannot be written (${code})`, 'Name a file in a folder that has room and can be written.');
  };
  let count = 0;
  async function* texts(): AsyncGenerator<string> {
    if (format === 'csv') yield csvHeader();
    for await (const page of rows) {
      count += page.length;
      yield textOf(page, couponId, format);
    }
  }
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw refused(error);
  });
  try {
    await pipeline(texts, file.createWriteStream());
    return count;
  } catch (error) {
    // Half a list would be taken for the whole one.
    await rm(path, { force: true });
    throw refused(error);
  }
}
