/** The files that `bench --out DIR` leaves: reports for people and for programs, and the record that they were made from. */
import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { BenchReport } from '../../../bench/report/report.ts';
import type { BenchRun } from '../../../bench/run.ts';
import { CouponError, usageError } from '../../../lib/errors.ts';
import { jsonText } from '../../../lib/text/terminal.ts';
import type { Context } from '../../context.ts';
import type { MaskedEnv } from '../../masked-env.ts';
import { makeFolder } from '../../files/make-folder.ts';

export const RECORD_FILE = 'record.bin';
export const REPORT_FILE = 'report.json';
/** In order of writing: where `report.json` is, the others are too. */
const FILES = [RECORD_FILE, 'report.html', 'junit.xml', 'summary.md', REPORT_FILE];

/** Writes the files of one run and says where they are. */
export type WriteReports = (run: BenchRun) => Promise<string>;

/**
 * Makes the folder, before anything is sent: a run of an hour must not end with "permission denied". Files of an earlier run
 * are replaced; a folder with anything else in it is not ours, and is refused.
 *
 * @param several each run gets a folder of its own in it, by the scenario's name
 * @throws CouponError `OUT_REFUSED`
 */
export async function prepareOut(
  env: Pick<MaskedEnv, 'cwd'> & Partial<Pick<MaskedEnv, 'secrets'>>,
  dir: string,
  several: boolean,
): Promise<WriteReports> {
  const root = resolve(env.cwd, dir);
  try {
    await makeFolder(root);
    const found = await entries(root);
    for (const { name, foreign } of found) if (foreign) throw refused(`${dir} holds ${name}, which is not a report of bench`);
    const [alone] = found.filter(({ name }) => FILES.includes(name));
    // Other tools write a report.html or a junit.xml, too; a run of ours begins with its record.
    if (alone && !found.some(({ name }) => name === RECORD_FILE || name === REPORT_FILE))
      throw refused(`${dir} holds ${alone.name} without a ${RECORD_FILE} beside it, so it is not a report of bench`);
    // Readable and writable are two things.
    const probe = join(root, `${REPORT_FILE}.tmp`);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    if (error instanceof CouponError) throw error;
    throw refused(`${dir} cannot be used (${(error as NodeJS.ErrnoException).code})`);
  }
  const used = new Set<string>();
  return async (run) => {
    const folder = several ? join(root, folderName(run.report, used)) : root;
    await writeReports(folder, run, (text) => env.secrets?.mask(text) ?? text);
    return folder;
  };
}

function refused(message: string): CouponError {
  return usageError('OUT_REFUSED', message, 'Name a folder that does not exist yet, an empty one, or one that bench wrote before.');
}

async function entries(root: string): Promise<{ name: string; foreign: boolean }[]> {
  // What a file manager leaves in every folder that it shows is no reason to refuse it.
  const ours = (name: string): boolean => name === '.DS_Store' || FILES.some((file) => name === file || name === `${file}.tmp`);
  const found: { name: string; foreign: boolean }[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    // One level of folders, as several scenarios make them.
    const foreign = entry.isDirectory() ? !(await readdir(join(root, entry.name))).every(ours) : !(entry.isFile() && ours(entry.name));
    found.push({ name: entry.name, foreign });
  }
  return found;
}

/** Names of scenarios are fit for file names. */
function folderName({ scenario: { name, strategy } }: BenchReport, used: Set<string>): string {
  const wanted = strategy === null || strategy === 'atomic' ? name : `${name}-${strategy}`;
  let free = wanted;
  for (let number = 2; used.has(free); number += 1) free = `${wanted}-${number}`;
  used.add(free);
  return free;
}

async function writeReports(folder: string, run: BenchRun, mask: (text: string) => string): Promise<void> {
  const [{ htmlReport }, { benchJunit }, { benchMarkdown }, { encodeRun }, { latenciesOf }] = await Promise.all([
    import('../../../bench/report/html/page.ts'),
    import('../../../bench/report/junit.ts'),
    import('../../../bench/report/markdown.ts'),
    import('../../../bench/record/kept-record.ts'),
    import('../../../bench/record/histogram.ts'),
  ]);
  const { report, record } = run;
  const contents: Record<string, string | Uint8Array> = {
    [RECORD_FILE]: await encodeRun(run),
    'report.html': htmlReport(report, latenciesOf(record, 'planned'), await pageAssets()),
    'junit.xml': benchJunit(report),
    'summary.md': benchMarkdown(report),
    [REPORT_FILE]: `${jsonText(report, 2)}\n`,
  };
  await makeFolder(folder);
  // All of them whole before the first takes its place: a full disk leaves the old reports.
  for (const file of FILES) {
    const content = contents[file]!;
    const path = join(folder, `${file}.tmp`);
    await named(path, writeFile(path, typeof content === 'string' ? mask(content) : content));
  }
  for (const file of FILES) await rename(join(folder, `${file}.tmp`), join(folder, file));
}

/** Node names the file only where it cannot be opened, not where the disk is full. */
async function named(path: string, written: Promise<void>): Promise<void> {
  await written.catch((error: unknown) => {
    throw Object.assign(error as Error, { path });
  });
}

async function pageAssets(): Promise<{ script: string; style: string }> {
  const dist = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [script, style] = await Promise.all([
    readFile(join(dist, 'uPlot.iife.min.js'), 'utf8'),
    readFile(join(dist, 'uPlot.min.css'), 'utf8'),
  ]);
  return { script, style };
}

/**
 * Writes the files, and what GitHub shows for a job. The verdict stands whether that works or not.
 *
 * @returns false when something could not be written, which has been said
 */
export async function publish(context: Context, run: BenchRun, write: WriteReports | null): Promise<boolean> {
  const { env, out } = context;
  const summary = env.vars['GITHUB_STEP_SUMMARY'];
  try {
    if (write) out.note(`Reports: ${await write(run)}`);
    if (summary) {
      const { benchMarkdown } = await import('../../../bench/report/markdown.ts');
      const path = resolve(env.cwd, summary);
      await named(path, appendFile(path, env.secrets.mask(`${benchMarkdown(run.report)}\n`)));
    }
    return true;
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    out.warn(`the reports could not be written: ${code} at ${path}`);
    return false;
  }
}
