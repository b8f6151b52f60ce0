/**
 * Where one user may have several coupons, the checks compare places instead of users: a place is what one request may have taken.
 * Everything else about the checks stays as it is.
 *
 * - The replies name the issued coupons (`RequestRecord.asker` is there): each name is a place. Coupons that no reply named belong to the
 *   requests that were left open, as far as there are any.
 * - They do not: the first coupon of a user is the place of the first acceptance, and so on. Requests that were left open come after
 *   them, refused ones last, and none beyond the limit.
 */
import { leavesOpen, outcomeCode } from './integrity.ts';
import type { CouponEvidence, LedgerEvidence, RequestRecord, UserNames } from './integrity.ts';

export interface Places {
  record: RequestRecord;
  evidence: CouponEvidence;
  users: UserNames;
}

const CODE = {
  accepted: outcomeCode('accepted'),
  duplicate: outcomeCode('duplicate'),
  unknown: outcomeCode('unknown'),
  unexpected: outcomeCode('unexpected'),
  repeat: outcomeCode('repeat'),
};

/** @param limit coupons that one user may have; null: any number */
export function placesOf({ record, evidence, users }: Places, coupon: number, limit: number | null): Places {
  return record.asker ? byName({ record, evidence, users }, coupon) : byTurn({ record, evidence, users }, coupon, limit ?? Infinity);
}

/** How sure it is that a request took nothing: coupons whose request is not known go to the least sure first. */
function doubt(code: number): number {
  return code === CODE.unknown ? 0 : leavesOpen(code) ? 1 : code === CODE.unexpected ? 2 : 3;
}

function byName({ record, evidence, users }: Places, coupon: number): Places {
  const user = record.user.slice();
  const asker = record.asker!;
  const outcome = record.outcome.slice();
  const named = new Set<number>(evidence.before);
  const leftOpen = new Set<number>();
  const firstOf = new Map<number, number>();
  const open: number[] = [];
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon) continue;
    const code = record.outcome[row]!;
    if (code === CODE.accepted) {
      named.add(user[row]!);
      if (!firstOf.has(asker[row]!)) firstOf.set(asker[row]!, user[row]!);
    } else if (doubt(code) < 3) {
      open.push(row);
      leftOpen.add(asker[row]!);
    }
  }
  open.sort((a, b) => doubt(record.outcome[a]!) - doubt(record.outcome[b]!));
  const { ledger } = evidence;
  const requestedUs = ledger?.requestedUs.slice();
  ledger?.user.forEach((name, at) => {
    if (named.has(name)) return;
    const row = open.shift();
    if (row === undefined) return;
    named.add(name);
    user[row] = name;
    // Any of the open requests may have taken it: nothing is known of its turn.
    requestedUs![at] = Number.NaN;
  });
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon || record.outcome[row] !== CODE.duplicate) continue;
    // Who is told "already requested" has some coupon; whose reply was lost, one that cannot be told from those of others.
    const first = firstOf.get(asker[row]!);
    if (first !== undefined) user[row] = first;
    else if (leftOpen.has(asker[row]!)) outcome[row] = CODE.repeat;
  }
  return {
    users,
    record: { ...record, user, outcome },
    evidence: { ...evidence, ledger: ledger && { ...ledger, requestedUs: requestedUs! } },
  };
}

/** Places of users beyond the first of each, numbered after all users. */
class MorePlaces implements UserNames {
  readonly planned: number;
  readonly #users: UserNames;
  readonly #numbers = new Map<string, number>();
  readonly #ids: string[] = [];

  constructor(users: UserNames) {
    this.#users = users;
    this.planned = users.planned;
  }

  get size(): number {
    return this.#users.size + this.#ids.length;
  }

  id(place: number): string {
    return place < this.#users.size ? this.#users.id(place) : this.#ids[place - this.#users.size]!;
  }

  /** @param turn from 0 on */
  numberOf(user: number, turn: number): number {
    if (turn === 0) return user;
    const id = `${this.#users.id(user)} (coupon ${turn + 1})`;
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const place = this.size;
    this.#numbers.set(id, place);
    this.#ids.push(id);
    return place;
  }
}

function byTurn({ record, evidence, users }: Places, coupon: number, limit: number): Places {
  const places = new MorePlaces(users);
  const user = record.user.slice();
  const unordered = new Set<number>();
  for (const [who, rows] of rowsByUser(record, coupon)) {
    const turnOf = new Map<number, number>();
    let next = 0;
    let answeredUs = Number.NEGATIVE_INFINITY;
    for (const row of rows) {
      const code = record.outcome[row]!;
      const accepted = code === CODE.accepted;
      // A repeat of the same request, or of the same promise.
      const id = (record.acceptance ?? record.requestId)[row]!;
      const turn = turnOf.get(id) ?? (code === CODE.duplicate ? 0 : accepted ? next : Math.min(next, limit - 1));
      if (!turnOf.has(id) && code !== CODE.duplicate) next += 1;
      turnOf.set(id, turn);
      user[row] = places.numberOf(who, turn);
      // Requests of one user that overlapped, or were left open: which coupon belongs to which is not known.
      if (next > 1 && doubt(code) < 3) unordered.add(who);
      if (accepted && record.sentUs[row]! < answeredUs) unordered.add(who);
      if (accepted) answeredUs = record.doneUs[row]!;
    }
  }
  const { ledger, redis } = evidence;
  const had = new Map<number, number>();
  const rows = ledger && placedRows(ledger, places, unordered, had);
  const pending = (waiting: Uint32Array): Uint32Array => waiting.map((who) => places.numberOf(who, had.get(who) ?? 0));
  return {
    record: { ...record, user },
    users: places,
    evidence: {
      ...evidence,
      ledger: rows,
      redis: redis && { ...redis, waiting: pending(redis.waiting), claimed: pending(redis.claimed), dead: pending(redis.dead) },
    },
  };
}

/** Acceptances in the order of their answers, then what was left open, then the rest. */
function rowsByUser(record: RequestRecord, coupon: number): Map<number, number[]> {
  const byUser = new Map<number, number[]>();
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon) continue;
    const rows = byUser.get(record.user[row]!);
    if (rows) rows.push(row);
    else byUser.set(record.user[row]!, [row]);
  }
  const rank = (row: number): number => (record.outcome[row] === CODE.accepted ? -1 : doubt(record.outcome[row]!));
  for (const rows of byUser.values()) {
    rows.sort((a, b) => rank(a) - rank(b) || (rank(a) === -1 ? record.doneUs[a]! - record.doneUs[b]! : a - b));
  }
  return byUser;
}

/** @param had gets how many coupons each user has */
function placedRows(ledger: LedgerEvidence, places: MorePlaces, unordered: ReadonlySet<number>, had: Map<number, number>): LedgerEvidence {
  const user = ledger.user.slice();
  const requestedUs = ledger.requestedUs.slice();
  const turn = ledger.turn.slice();
  const order = Array.from(user, (_, row) => row);
  // Rows without a time come last.
  const time = (row: number): number => (Number.isNaN(requestedUs[row]!) ? Number.MAX_VALUE : requestedUs[row]!);
  order.sort((a, b) => time(a) - time(b));
  for (const row of order) {
    const who = ledger.user[row]!;
    const nth = had.get(who) ?? 0;
    had.set(who, nth + 1);
    user[row] = places.numberOf(who, nth);
    if (unordered.has(who)) requestedUs[row] = turn[row] = Number.NaN;
  }
  return { ...ledger, user, requestedUs, turn };
}
