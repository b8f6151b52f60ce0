import { outcomeCode } from './integrity.ts';
import type { RequestRecord, UserNames } from './integrity.ts';
import { SAMPLE_SIZE } from './integrity.ts';

/** What the requests of one user for one coupon came to, as bits of {@link Digest.said}. */
const ASKED = 1;
export const ACCEPTED = 2;
/** Sent, and no usable answer came. */
export const UNKNOWN = 4;
export const DUPLICATE = 8;
export const SOLD_OUT = 16;
export const UNEXPECTED = 32;
/** Had been accepted or issued before the run began. */
export const BEFORE = 64;
/** Taken to be decided later, or asked before: the list of issued coupons says how that ended. */
export const UNDECIDED = 128;

/** The record of one coupon, by user. */
export interface Digest {
  readonly said: Uint8Array;
  /** Earliest sending of a request that may have taken stock (accepted, unknown, unexpected or undecided in the end); NaN if none. */
  readonly askedUs: Float64Array;
  /** Earliest accepted reply; NaN if none. */
  readonly acceptedUs: Float64Array;
  /** Users with accepted replies to requests of different ids. */
  readonly acceptedTwice: number[];
  /** Users accepted at least once. */
  readonly accepted: number;
  /** Sold-out replies: who, and when they arrived. */
  readonly soldOutUser: Uint32Array;
  readonly soldOutUs: Float64Array;
}

/** One pass over the record. */
export function digest(record: RequestRecord, coupon: number, users: UserNames, before: Uint32Array): Digest {
  const codes = {
    accepted: outcomeCode('accepted'),
    duplicate: outcomeCode('duplicate'),
    soldOut: outcomeCode('sold_out'),
    unknown: outcomeCode('unknown'),
    unexpected: outcomeCode('unexpected'),
    unsent: outcomeCode('unsent'),
    queued: outcomeCode('queued'),
    repeat: outcomeCode('repeat'),
  };
  const bits = new Uint8Array(256);
  bits[codes.accepted] = ACCEPTED;
  bits[codes.duplicate] = DUPLICATE;
  bits[codes.soldOut] = SOLD_OUT;
  bits[codes.unknown] = UNKNOWN;
  bits[codes.unexpected] = UNEXPECTED;
  bits[codes.queued] = UNDECIDED;
  bits[codes.repeat] = UNDECIDED;

  const said = new Uint8Array(users.size);
  const askedUs = new Float64Array(users.size).fill(Number.NaN);
  const acceptedUs = new Float64Array(users.size).fill(Number.NaN);
  const acceptance = record.acceptance ?? record.requestId;
  const acceptedId = new Float64Array(users.size).fill(-1);
  const acceptedTwice = new Set<number>();
  let accepted = 0;
  let soldOut = 0;
  for (let row = 0; row < record.length; row += 1) {
    const code = record.outcome[row]!;
    if (record.coupon[row] !== coupon || code === codes.unsent) continue;
    const user = record.user[row]!;
    const bit = bits[code]!;
    said[user] = said[user]! | ASKED | bit;
    if (bit === SOLD_OUT) soldOut += 1;
    if (!(bit & (ACCEPTED | UNKNOWN | UNEXPECTED | UNDECIDED))) continue;
    if (!(askedUs[user]! <= record.sentUs[row]!)) askedUs[user] = record.sentUs[row]!;
    if (bit !== ACCEPTED) continue;
    if (!(acceptedUs[user]! <= record.doneUs[row]!)) acceptedUs[user] = record.doneUs[row]!;
    if (acceptedId[user] === -1) {
      acceptedId[user] = acceptance[row]!;
      accepted += 1;
    } else if (acceptedId[user] !== acceptance[row]) acceptedTwice.add(user);
  }
  for (const user of before) said[user] = said[user]! | BEFORE;
  return {
    said,
    askedUs,
    acceptedUs,
    acceptedTwice: [...acceptedTwice],
    accepted,
    ...soldOutReplies(record, coupon, codes.soldOut, soldOut),
  };
}

function soldOutReplies(record: RequestRecord, coupon: number, code: number, count: number): Pick<Digest, 'soldOutUser' | 'soldOutUs'> {
  const soldOutUser = new Uint32Array(count);
  const soldOutUs = new Float64Array(count);
  let filled = 0;
  for (let row = 0; row < record.length && filled < count; row += 1) {
    if (record.outcome[row] !== code || record.coupon[row] !== coupon) continue;
    soldOutUser[filled] = record.user[row]!;
    soldOutUs[filled] = record.doneUs[row]!;
    filled += 1;
  }
  return { soldOutUser, soldOutUs };
}

/** Collects the users that a finding is about: all are counted, the first few are named. */
export class Tally {
  count = 0;
  readonly #names: UserNames;
  readonly #sample: string[] = [];

  constructor(names: UserNames) {
    this.#names = names;
  }

  add(user: number): void {
    this.count += 1;
    if (this.#sample.length >= SAMPLE_SIZE) return;
    // A user who asked twice is counted twice and named once.
    const id = this.#names.id(user);
    if (!this.#sample.includes(id)) this.#sample.push(id);
  }

  addAll(users: Iterable<number>): this {
    for (const user of users) this.add(user);
    return this;
  }

  get sample(): string[] {
    return [...this.#sample];
  }
}

/** How often each user is in a list. */
export function occurrences(users: Uint32Array, size: number): Uint8Array {
  const seen = new Uint8Array(size);
  for (const user of users) seen[user] = Math.min(255, seen[user]! + 1);
  return seen;
}
