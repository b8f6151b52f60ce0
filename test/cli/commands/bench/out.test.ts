import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { benchReportSchema } from '../../../../src/bench/report/schema.ts';
import { encodeRun } from '../../../../src/bench/record/kept-record.ts';
import { benchRun } from '../../../support/bench-report.ts';
import type { PaperRun } from '../../../support/bench-report.ts';
import { cli } from '../../../support/run-cli.ts';

const temp = (): string => mkdtempSync(join(tmpdir(), 'coupon-'));
const FILES = ['junit.xml', 'record.bin', 'report.html', 'report.json', 'summary.md'];

/** A folder with the record of a run on paper. */
async function kept(options: PaperRun = {}): Promise<string> {
  const folder = temp();
  writeFileSync(join(folder, 'record.bin'), await encodeRun(benchRun(options)));
  return folder;
}

describe('bench verify', () => {
  test('says of a record what the run said, and leaves its reports', async () => {
    const folder = await kept();
    const out = join(folder, 'again');
    const result = await cli(['bench', 'verify', join(folder, 'record.bin'), '--out', out, '--json']);
    expect(result).toMatchObject({ exitCode: 99, stderr: `Reports: ${out}\n` });
    const { report } = benchRun();
    expect(result.json()).toEqual(JSON.parse(JSON.stringify(report)));
    expect(readdirSync(out).toSorted()).toEqual(FILES);
    expect(benchReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')))).toEqual(report);
    // The record goes along, and says the same once more.
    expect((await cli(['bench', 'verify', out, '--json'])).json()).toEqual(result.json());
  });

  test('names lost users, in every report: exit 4', async () => {
    const folder = await kept({ lost: 2 });
    const result = await cli(['bench', 'verify', folder, '--out', folder]);
    expect(result).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('2 users accepted and then lost [user-0, user-1]') });
    for (const file of FILES.slice(2)) expect(readFileSync(join(folder, file), 'utf8'), file).toContain('user-0');
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toContain('<failure type="ACCEPTED_NOT_ISSUED"');
  });

  test.each([
    ['that is not there', 'nowhere', 'ENOENT'],
    ['that is something else', 'package.json', 'is not a record'],
  ])('refuses a file %s: exit 2', async (_, file, said) => {
    const result = await cli(['bench', 'verify', file], { cwd: process.cwd() });
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('[BAD_RECORD]') });
    expect(result.stderr).toContain(said);
  });

  test('refuses a record that is cut short: exit 2', async () => {
    const folder = await kept();
    const path = join(folder, 'record.bin');
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    const result = await cli(['bench', 'verify', folder]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is not whole') });
  });
});

describe('--out', () => {
  test('refuses a folder with files of others, before anything is done', async () => {
    const folder = await kept();
    const out = temp();
    writeFileSync(join(out, 'thesis.tex'), '');
    const result = await cli(['bench', 'verify', folder, '--out', out]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('holds thesis.tex') });
    expect(result.stderr).toContain('[OUT_REFUSED]');
    expect(readdirSync(out)).toEqual(['thesis.tex']);
  });

  test('refuses a report.html that no run of ours has written', async () => {
    const folder = await kept();
    const out = temp();
    writeFileSync(join(out, 'report.html'), 'of another tool');
    const result = await cli(['bench', 'verify', folder, '--out', out]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('holds report.html without a record.bin') });
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toBe('of another tool');
  });

  test('refuses a path that is a file', async () => {
    const folder = await kept();
    const result = await cli(['bench', 'verify', folder, '--out', join(folder, 'record.bin')]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[OUT_REFUSED]') });
  });

  test('replaces the reports of an earlier run', async () => {
    const folder = await kept();
    writeFileSync(join(folder, '.DS_Store'), '');
    const first = await cli(['bench', 'verify', folder, '--out', folder]);
    const before = statSync(join(folder, 'report.html')).ino;
    const second = await cli(['bench', 'verify', folder, '--out', folder]);
    expect([first.exitCode, second.exitCode]).toEqual([99, 99]);
    expect(statSync(join(folder, 'report.html')).ino).not.toBe(before);
    expect(readdirSync(folder).toSorted()).toEqual(['.DS_Store', ...FILES]);
  });

  test('adds to the summary of a GitHub job', async () => {
    const folder = await kept();
    const path = join(temp(), 'step.md');
    writeFileSync(path, '# before\n');
    const vars = { GITHUB_STEP_SUMMARY: path };
    await cli(['bench', 'verify', folder, '--out', folder], { vars });
    expect(readFileSync(path, 'utf8')).toBe(`# before\n${readFileSync(join(folder, 'summary.md'), 'utf8')}\n`);
  });

  test('a summary that cannot be written costs no verdict: it is said, and a failed threshold gives way to exit 1', async () => {
    const vars = { GITHUB_STEP_SUMMARY: join(temp(), 'no', 'such', 'folder') };
    const missed = await cli(['bench', 'verify', await kept(), '--out', temp()], { vars });
    expect(missed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('could not be written: ENOENT') });
    const full = await cli(['bench', 'verify', await kept(), '--out', temp()], { vars: { GITHUB_STEP_SUMMARY: '/dev/full' } });
    expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('could not be written: ENOSPC at /dev/full') });
    const broken = await cli(['bench', 'verify', await kept({ lost: 1 }), '--out', temp()], { vars });
    expect(broken).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('BROKEN') });
  });
});
