import type { AuditPorts } from './ports.ts';
import type { Clock } from '../lib/clock.ts';

/** Between two looks at whether a sale is on; the second one comes sooner, because until then it is unknown. */
const LOOK_MS = 500;
const SECOND_LOOK_MS = 100;
/** A sale counts as live for so long after coupons were last seen issued: longer than the usual interval of a drain. */
const LIVE_MS = 3_000;
/** While it is live, each read is followed by a rest of so many times its own length. */
const REST_FACTOR = 8;

/**
 * Ports for a reader that is in no hurry, such as an audit: on idle stores everything is read as fast as they give it; while coupons are
 * being issued, reads go one by one, and the stores are left to the drain for most of the time, because neither of them knows
 * priorities. The idea is that of PostgreSQL's cost-based vacuum delay.
 *
 * The order of reads is kept: what is asked later is read later, also when the answer in between is not awaited.
 */
export function pacedReads({ reader, ledger, clock }: AuditPorts): AuditPorts {
  const turns = new TurnQueue(async () => (await ledger.coupons()).reduce((sum, coupon) => sum + coupon.issuedQuantity, 0), clock);
  return {
    clock,
    reader: {
      ...reader,
      queue: async (...args) => turns.take(async () => reader.queue(...args)),
      users: async (...args) => turns.take(async () => reader.users(...args)),
      expiring: async (...args) => turns.take(async () => reader.expiring(...args)),
      compareRows: async (...args) => turns.take(async () => reader.compareRows(...args)),
      now: async () => turns.take(async () => reader.now()),
      walk: (...args) => turns.takeEach(reader.walk(...args)),
      scanIssued: (...args) => turns.takeEach(reader.scanIssued(...args)),
      scanForeign: () => turns.takeEach(reader.scanForeign()),
    },
    ledger: {
      ...ledger,
      briefs: async (...args) => turns.take(async () => ledger.briefs(...args)),
      rows: async (...args) => turns.take(async () => ledger.rows(...args)),
    },
  };
}

/** Which reads may run, and when. */
class TurnQueue {
  readonly #countIssued: () => Promise<number>;
  readonly #clock: Clock;
  /** When the next one may read. */
  #free: Promise<unknown> = Promise.resolve();
  #look: Promise<void> | null = null;
  #nextLookAt = -Infinity;
  #issued: number | null = null;
  #liveUntil = Infinity;

  constructor(countIssued: () => Promise<number>, clock: Clock) {
    this.#countIssued = countIssued;
    this.#clock = clock;
  }

  async take<T>(read: () => Promise<T>): Promise<T> {
    await this.#lookInTime();
    // A sale that has just ended leaves a queue of reads, which keeps its order.
    return this.#clock.now() < this.#liveUntil ? this.#queue(read) : this.#free.then(read);
  }

  async *takeEach<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.take(async () => iterator.next());
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #queue<T>(read: () => Promise<T>): Promise<T> {
    let rest = 0;
    const result = this.#free.then(async () => {
      const began = this.#clock.now();
      try {
        return await read();
      } finally {
        rest = REST_FACTOR * (this.#clock.now() - began);
      }
    });
    const settled = result.then(
      () => undefined,
      () => undefined, // the caller gets the error
    );
    this.#free = settled.then(async () => this.#clock.sleep(rest));
    return result;
  }

  /** A read that comes while a look is under way waits for it, so that reads keep their order. */
  async #lookInTime(): Promise<void> {
    if (!this.#look && this.#clock.now() >= this.#nextLookAt) this.#look = this.#lookNow().finally(() => (this.#look = null));
    await this.#look;
  }

  async #lookNow(): Promise<void> {
    const [before, issued] = [this.#issued, await this.#countIssued()];
    const now = this.#clock.now();
    this.#issued = issued;
    this.#nextLookAt = now + (before === null ? SECOND_LOOK_MS : LOOK_MS);
    if (before === null) return;
    if (issued !== before) this.#liveUntil = now + LIVE_MS;
    else if (this.#liveUntil === Infinity) this.#liveUntil = now;
  }
}
