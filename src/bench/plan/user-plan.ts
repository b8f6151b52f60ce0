/**
 * Who asks for what, and in which order. Everything follows from the scenario and its seed, so a run can be repeated and a
 * user's number is enough to name him.
 */
import type { UserNames } from '../checks/integrity.ts';
import { UserTable } from './user-table.ts';

export interface UserOptions {
  /** Distinct users. */
  count: number;
  /** A user id is the prefix and a number. */
  prefix: string;
  /** First number. */
  start: number;
  /** Extra requests as a share of the users: 0.05 means that 5 % of them ask twice, 2 that everyone asks three times. */
  duplicateRate: number;
  /** Share of those extra requests that follow at once, most of them while the first is still in flight. */
  impatience: number;
  /** A few users who ask very often: each of them `repeats` times more, spread over all the rest. */
  hot?: { users: number; repeats: number } | undefined;
  seed: number;
  /** Users from a file; prefix and start then say nothing. */
  table?: UserTable | undefined;
}

/** One row per request to send, in order of sending. */
export interface RequestPlan {
  readonly length: number;
  readonly user: Uint32Array;
  readonly coupon: Uint16Array;
  readonly requestId: Uint32Array;
}

/** How many requests {@link planRequests} will plan. */
export function plannedRequests(users: Pick<UserOptions, 'count' | 'duplicateRate' | 'hot'>, coupons: number): number {
  return (users.count + Math.round(users.count * users.duplicateRate) + hotRepeats(users)) * coupons;
}

function hotRepeats({ count, hot }: Pick<UserOptions, 'count' | 'hot'>): number {
  return hot ? Math.min(count, hot.users) * hot.repeats : 0;
}

/**
 * Every user asks for every coupon once, in an order unlike that of the ids (a service that ranks by id must not look
 * fair), and some ask again.
 *
 * @param near how many requests may lie between an impatient user's two; the number of virtual users makes them overlap
 * @param series all users ask for one coupon, then all for the next
 */
export function planRequests(users: UserOptions, coupons: number, near: number, series = false): RequestPlan {
  const random = randomOf(users.seed);
  const first = shuffled(users.count, random);
  const slots = users.count * coupons;
  const { slot, user } = repeats(users, { coupons, first, near, series }, random);

  const length = slots + slot.length;
  const plan = { length, user: new Uint32Array(length), coupon: new Uint16Array(length), requestId: new Uint32Array(length) };
  const after = new Uint32Array(slots + 1);
  for (const at of slot) after[at + 1] = after[at + 1]! + 1;
  for (let at = 0; at < slots; at += 1) after[at + 1] = after[at + 1]! + after[at]!;

  const filled = new Uint32Array(slots);
  for (let at = 0; at < slots; at += 1) {
    const place = at + after[at]!;
    plan.user[place] = first[series ? at % users.count : Math.floor(at / coupons)]!;
    plan.coupon[place] = series ? Math.floor(at / users.count) : at % coupons;
  }
  for (let index = 0; index < slot.length; index += 1) {
    const at = slot[index]!;
    const nth = (filled[at] = filled[at]! + 1);
    const place = at + after[at]! + nth;
    plan.user[place] = user[index]!;
    plan.coupon[place] = index % coupons;
  }
  for (let index = 0; index < length; index += 1) plan.requestId[index] = index;
  return plan;
}

/** For each extra request the slot (first request) that it follows, and who makes it. */
function repeats(
  users: UserOptions,
  { coupons, first, near, series }: { coupons: number; first: Uint32Array; near: number; series: boolean },
  random: () => number,
): { slot: Uint32Array; user: Uint32Array } {
  const people = Math.round(users.count * users.duplicateRate);
  const slots = users.count * coupons;
  const slot = new Uint32Array((people + hotRepeats(users)) * coupons);
  const user = new Uint32Array(slot.length);
  const everyone = Math.floor(users.duplicateRate);
  let filled = 0;
  let missing = people - everyone * users.count;
  const repeat = (place: number, reach: number): void => {
    for (let coupon = 0; coupon < coupons; coupon += 1) {
      const own = series ? coupon * users.count + place : place * coupons + coupon;
      // In a series, nobody asks for a coupon again once its turn is over.
      const end = series ? (coupon + 1) * users.count : slots;
      slot[filled] = own + Math.floor(random() * Math.min(reach, end - own));
      user[filled] = first[place]!;
      filled += 1;
    }
  };
  for (let place = 0; place < users.count; place += 1) {
    // Selection sampling (Knuth, TAOCP 3.4.2 S): exactly as many as wanted, each user equally likely.
    const chosen = random() * (users.count - place) < missing ? 1 : 0;
    missing -= chosen;
    for (let time = 0; time < everyone + chosen; time += 1) repeat(place, random() < users.impatience ? near : slots);
    // Those who ask first, so that their repeats have all the rest to spread over.
    if (users.hot && place < users.hot.users) for (let time = 0; time < users.hot.repeats; time += 1) repeat(place, slots);
  }
  return { slot, user };
}

function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const kept = order[index]!;
    order[index] = order[other]!;
    order[other] = kept;
  }
  return order;
}

/** mulberry32 (T. Ettinger, public domain): small, fast, and the same on every machine, which is all that is asked of it. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Some of the users of a directory as plain data: by rule, or as rows of a table. */
export interface UsersPart extends Pick<UserOptions, 'count' | 'prefix' | 'start'> {
  table: { columns: readonly string[]; idColumn: string; rows: string[][] } | null;
  prepared: Prepared | null;
}

/** What each user got from the steps before the load; rows in the order of the users. */
export interface Prepared {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

/** Turns users into numbers and back. Users that only the stores know get the numbers after the planned ones. */
export class UserDirectory implements UserNames {
  readonly planned: number;
  readonly #prefix: string;
  readonly #start: number;
  readonly #table: UserTable | undefined;
  #prepared: Prepared | null = null;
  readonly #strangers = new Map<string, number>();
  readonly #strangerIds: string[] = [];

  constructor(users: Pick<UserOptions, 'count' | 'prefix' | 'start' | 'table'>) {
    this.planned = users.count;
    this.#prefix = users.prefix;
    this.#start = users.start;
    this.#table = users.table;
  }

  /** The users from one number up to another, numbered from 0 on; `ofPart` makes a directory of them again. */
  part(from: number, to: number): UsersPart {
    const table = this.#table;
    return {
      count: to - from,
      prefix: this.#prefix,
      start: this.#start + from,
      table: table
        ? {
            columns: table.columns,
            idColumn: table.idColumn,
            rows: Array.from({ length: to - from }, (_, row) => table.columns.map((_name, column) => table.value(from + row, column))),
          }
        : null,
      prepared: this.#prepared && { columns: this.#prepared.columns, rows: this.#prepared.rows.slice(from, to) },
    };
  }

  static ofPart({ table, prepared, ...users }: UsersPart): UserDirectory {
    let rebuilt: UserTable | undefined;
    if (table) {
      rebuilt = new UserTable(table.columns, table.idColumn);
      for (const row of table.rows) rebuilt.add(row);
    }
    const directory = new UserDirectory({ ...users, ...(rebuilt ? { table: rebuilt } : {}) });
    if (prepared) directory.prepare(prepared);
    return directory;
  }

  /** Gives every planned user further values. */
  prepare(prepared: Prepared): void {
    this.#prepared = prepared;
  }

  /** Further values of each user, by name: columns of the table, then what was prepared. */
  get columns(): readonly string[] {
    return [...(this.#table?.columns ?? []), ...(this.#prepared?.columns ?? [])];
  }

  /** The value of a planned user. */
  value(user: number, column: number): string {
    const ofTable = this.#table?.columns.length ?? 0;
    return column < ofTable ? this.#table!.value(user, column) : this.#prepared!.rows[user]![column - ofTable]!;
  }

  get size(): number {
    return this.planned + this.#strangerIds.length;
  }

  id(user: number): string {
    if (user >= this.planned) return this.#strangerIds[user - this.planned] ?? '?';
    return this.#table ? this.#table.id(user) : `${this.#prefix}${this.#start + user}`;
  }

  /** The number of a user id; an unplanned one gets a number of its own. */
  numberOf(userId: string): number {
    const planned = this.#plannedNumber(userId);
    if (planned >= 0 && planned < this.planned) return planned;
    const known = this.#strangers.get(userId);
    if (known !== undefined) return known;
    const user = this.size;
    this.#strangers.set(userId, user);
    this.#strangerIds.push(userId);
    return user;
  }
  /** Outside of 0 to `planned - 1`: none of the planned. */
  #plannedNumber(userId: string): number {
    if (this.#table) return this.#table.rowOf(userId);
    const digits = userId.startsWith(this.#prefix) ? userId.slice(this.#prefix.length) : '';
    return /^(?:0|[1-9]\d{0,14})$/.test(digits) ? Number(digits) - this.#start : -1;
  }
}
