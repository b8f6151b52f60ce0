/**
 * A run in a file: its report, the record of every request, what the stores said, and the names of the users. Everything that
 * the checker needs, so that `bench verify` comes to the same result years later, and on another machine.
 *
 * Layout: 16 bytes `coupon-cli bench`, 2 bytes format version (little endian), 32 bytes SHA-256 of the rest; the rest is
 * `bench/record/pack.ts`, deflated. A million requests take about 16 MB.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { constants, createDeflate, inflate } from 'node:zlib';
import { z } from 'zod';
import { benchReportSchema, withAllOutcomes } from '../report/schema.ts';
import type { BenchReport } from '../report/report.ts';
import type { BenchRun } from '../run.ts';
import { usageError } from '../../lib/errors.ts';
import { outcomeCode } from '../checks/integrity.ts';
import { keptSchema } from './schema.ts';
import type { Kept } from './schema.ts';
import { columnsOf } from './record.ts';
import { nameRuns, namesOf } from './name-runs.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import { pack, unpack } from './pack.ts';

const MAGIC = Buffer.from('coupon-cli bench', 'latin1');
const VERSION = 1;
const DIGEST_AT = MAGIC.length + 2;
const BODY_AT = DIGEST_AT + 32;

/** A record deflates to a tenth or so; a file that says otherwise is not one, and would fill the memory. */
const MOST_INFLATED = 64;
const ALWAYS_INFLATED_BYTES = 64 * 1_048_576;

export async function encodeRun({ report, record, evidence, users }: BenchRun): Promise<Buffer> {
  // The report goes as JSON text: the header of the pack is no place for the words of others.
  const kept: Kept = {
    report: JSON.stringify(report),
    record: columnsOf(record),
    evidence,
    users: { planned: users.planned, runs: nameRuns(users) },
  };
  // More effort makes it slower, and hardly smaller: the lowest bytes of times are noise.
  const deflated = Readable.from(pack(kept), { objectMode: true }).pipe(createDeflate({ level: constants.Z_BEST_SPEED }));
  const body = await buffer(deflated);
  const version = Buffer.alloc(2);
  version.writeUInt16LE(VERSION);
  return Buffer.concat([MAGIC, version, createHash('sha256').update(body).digest(), body]);
}

/**
 * @param file only for messages
 * @throws CouponError `BAD_RECORD`: not a record, one of a later version, not whole any more, or one that contradicts itself
 */
export async function decodeRun(bytes: Uint8Array, file: string): Promise<BenchRun> {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!whole.subarray(0, MAGIC.length).equals(MAGIC)) throw bad(`${file} is not a record of bench`);
  if (whole.length < BODY_AT) throw bad(`${file} is not whole: it ends after ${whole.length} bytes`);
  const version = whole.readUInt16LE(MAGIC.length);
  if (version !== VERSION) throw bad(`${file} has record format ${version}; this program reads format ${VERSION}`);
  const body = whole.subarray(BODY_AT);
  if (!createHash('sha256').update(body).digest().equals(whole.subarray(DIGEST_AT, BODY_AT)))
    throw bad(`${file} is not whole: its checksum does not fit its content`);
  try {
    const maxOutputLength = Math.max(ALWAYS_INFLATED_BYTES, MOST_INFLATED * body.length);
    const kept = keptSchema.parse(unpack(await promisify(inflate)(body, { maxOutputLength })));
    const { record, evidence, users } = kept;
    const report: BenchReport = benchReportSchema.parse(withAllOutcomes(JSON.parse(kept.report)));
    contradiction(report, kept);
    return { report, record, evidence, users: namesOf(users.planned, users.runs) };
  } catch (error) {
    throw bad(`${file} cannot be read as a record: ${problemOf(error)}`);
  }
}

/** The report in the file says how many requests and coupons there were: the rows must be those. */
function contradiction({ scenario, outcomes }: BenchReport, { record, evidence }: Kept): void {
  if (scenario.requests !== record.length)
    throw new Error(`its report speaks of ${scenario.requests} requests, and it has ${record.length}`);
  const counts = new Uint32Array(OUTCOMES.length);
  for (const code of record.outcome) counts[code] = counts[code]! + 1;
  for (const outcome of OUTCOMES) {
    const found = counts[outcomeCode(outcome)]!;
    if (outcomes[outcome] !== found) throw new Error(`its report speaks of ${outcomes[outcome]} × ${outcome}, and it has ${found}`);
  }
  const named = (coupons: readonly { couponId: string; total: number }[]): string =>
    JSON.stringify(coupons.map(({ couponId, total }) => [couponId, total]));
  if (named(scenario.coupons) !== named(evidence)) throw new Error('its report and its evidence are about different coupons');
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const { path, message } = error.issues[0]!;
    return `${path.join('.') || 'the whole'}: ${message}`;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_BUFFER_TOO_LARGE' ? 'it inflates to more than any record does' : message.split('\n')[0]!;
}

function bad(message: string) {
  return usageError('BAD_RECORD', message, 'Name the record.bin of a folder that `bench --out DIR` wrote.');
}
