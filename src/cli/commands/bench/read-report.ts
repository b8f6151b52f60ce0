import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ComparedRun } from '../../../bench/compare/compare.ts';
import { parseGate, type Gate } from '../../../bench/compare/gate.ts';
import { CouponError, usageError } from '../../../lib/errors.ts';
import type { Env } from '../../env.ts';
import { REPORT_FILE } from './out.ts';

/** The longest load makes a report of a few MB. */
const MAX_BYTES = 64 * 1_048_576;

/** @throws CouponError `BAD_FAIL_ON` */
export function gateOf(text: string): Gate {
  const gate = parseGate(text);
  if ('problem' in gate) throw usageError('BAD_FAIL_ON', gate.problem, 'See `coupon-cli bench compare --help`.');
  return gate;
}

/** A report as `bench --out` or `--json` wrote it. @throws CouponError `BAD_REPORT` */
export async function readRun(env: Env, path: string): Promise<ComparedRun> {
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
