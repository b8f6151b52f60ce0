import type { AdmissionAnswer } from '../campaign/admission.ts';
import { CLOSED_OUTCOMES } from '../campaign/outcome.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import type { Refusal, Refusals } from './ports.ts';
import { UserHashes } from './user-hashes.ts';

/** A look at Redis this old is followed by another one, as long as requests come. */
const LOOK_EVERY_MS = 100;
/** A look this old is not trusted any more: returned stock is noticed within this time. */
const FRESH_MS = 200;
/** The users are read again at most this often, and in at most this share of the time, however often stock comes and goes. */
const READ_EVERY_MS = 1_000;
const READ_SHARE = 0.1;

/** What a user without an admission may hear, however often they ask. */
const REFUSING: ReadonlySet<string> = new Set(['sold_out', 'not_open', ...CLOSED_OUTCOMES]);

interface Remembered extends Refusal {
  /** Made once for all who hear it. */
  answer: AdmissionAnswer;
}

interface Memory {
  /** When the last look was sent; monotonic milliseconds. */
  lookedMs: number;
  looking: boolean;
  /** What that look said; null: it accepted, or nothing is known yet. */
  refusal: Remembered | null;
  /** Null: not read, or there may be more users since. */
  users: UserHashes | null;
  /** Not to be read again before. */
  readAgainMs: number;
}

export interface RefusalMemoryOptions {
  /** Milliseconds, monotonic. */
  now: () => number;
  /** Told when Redis could not be asked; requests then go there themselves. */
  onFault: (error: unknown) => void;
}

/**
 * Refuses from memory: in a rush nine answers of ten are refusals, the same for every user that Redis does not know.
 *
 * Once a coupon refuses, its users are read from Redis once. Whoever is surely none of them gets the refusal at once, as long as a look
 * at Redis, at most 200 ms old, still refuses and shows no new user; everyone else is asked for in Redis. See
 * docs/decisions/110-refusals-from-memory.md.
 */
export class RefusalMemory {
  readonly #refusals: Refusals;
  readonly #options: RefusalMemoryOptions;
  readonly #coupons = new Map<string, Memory>();

  constructor(refusals: Refusals, options: RefusalMemoryOptions) {
    this.#refusals = refusals;
    this.#options = options;
  }

  /** What the user is told, or null: only Redis can say. */
  refusalOf(couponId: string, userId: string): AdmissionAnswer | null {
    const memory = this.#coupons.get(couponId);
    if (!memory) return null;
    const ageMs = this.#options.now() - memory.lookedMs;
    if (ageMs >= LOOK_EVERY_MS && !memory.looking) void this.#look(couponId, memory);
    const { refusal, users } = memory;
    if (refusal === null || users === null || ageMs >= Math.min(FRESH_MS, refusal.opensInMs ?? FRESH_MS)) return null;
    return users.mayHave(userId) ? null : refusal.answer;
  }

  /** The same admission; a refusal of it is where a memory begins. */
  learningFrom(admission: Admission): Admission {
    return {
      admit: async (couponId, requests) => {
        const answers = await admission.admit(couponId, requests);
        const refused = answers.some(({ outcome }) => REFUSING.has(outcome));
        if (refused && !this.#coupons.has(couponId)) this.#begin(couponId);
        return answers;
      },
    };
  }

  #begin(couponId: string): void {
    const memory: Memory = { lookedMs: Number.NEGATIVE_INFINITY, looking: false, refusal: null, users: null, readAgainMs: 0 };
    this.#coupons.set(couponId, memory);
    void this.#look(couponId, memory);
  }

  async #look(couponId: string, memory: Memory): Promise<void> {
    memory.looking = true;
    try {
      await this.#compare(couponId, memory);
      if (memory.refusal && !memory.users && this.#options.now() >= memory.readAgainMs) await this.#read(couponId, memory);
    } catch (error) {
      // Old by then, so that requests ask Redis; they tell their users what is wrong.
      this.#options.onFault(error);
      memory.lookedMs = this.#options.now();
      // Users may have been accepted since: only a new reading can tell.
      memory.refusal = null;
      memory.users = null;
    } finally {
      memory.looking = false;
    }
  }

  async #compare(couponId: string, memory: Memory): Promise<void> {
    const sentMs = this.#options.now();
    const refusal = await this.#refusals.refusal(couponId);
    if (memory.refusal && !knowsNoMore(memory.refusal, refusal)) memory.users = null;
    memory.lookedMs = sentMs;
    const { outcome, atMs } = refusal;
    memory.refusal = outcome === null ? null : { ...refusal, answer: { outcome, ...(atMs === undefined ? {} : { atMs }) } };
    if (memory.refusal === null) memory.users = null;
  }

  /** The users count only if no other one was accepted, or queued, while they were read. */
  async #read(couponId: string, memory: Memory): Promise<void> {
    const { refusal } = memory;
    const beganMs = this.#options.now();
    const users = new UserHashes(refusal!.admitted + refusal!.waiting);
    let complete = true;
    for await (const chunk of this.#refusals.knownUsers(couponId)) for (const userId of chunk) complete &&= users.add(userId);
    const tookMs = this.#options.now() - beganMs;
    memory.readAgainMs = beganMs + Math.max(READ_EVERY_MS, tookMs / READ_SHARE);
    await this.#compare(couponId, memory);
    if (complete && memory.refusal && knowsNoMore(refusal!, memory.refusal)) memory.users = users;
  }
}

/** Whether every user that Redis knows now was known before. */
function knowsNoMore(before: Refusal, now: Refusal): boolean {
  return now.epoch === before.epoch && now.lastUs === before.lastUs && now.admitted <= before.admitted && now.waiting <= before.waiting;
}
