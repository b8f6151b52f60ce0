import { arrivalsBy, arrivalTimes } from '../plan/arrivals.ts';
import type { OpenPhase } from '../plan/phase.ts';
import { levelAt } from '../plan/stages.ts';
import type { Executor, PhaseHost, Turn, VirtualUser } from './executor.ts';

/** Timers are this coarse: a wait that is shorter is spun away, of a longer one the end. */
const TIMER_MS = 2;
/** How often a request that waits for a connection is looked at. */
const STARVED_LOOK_MS = 5;
/** New connections at one look: enough to double a few dozen within a tenth of a second, too few to flood a backlog. */
const HIRED_AT_ONCE = 10;
/** The first arrival waits so long at most for the connections that should stand before it. */
const WARM_UP_MS = 1_000;
/** Two looks at the clock further apart than this did something else in between. */
const SPIN_STEP_MS = 0.5;

/**
 * The open model: requests become due by the clock and are released to a free virtual user at that moment. One that finds none
 * waits, in order, and counts from the time it was due (a service that stalls is not spared the requests of that time, as a
 * closed model spares it); when it has waited `startWithin`, it is dropped: recorded as unsent, its user never asks.
 *
 * autocannon's own rate sends bursts: all of a second's requests in its first tenth. Timers alone are too coarse, so the last
 * millisecond or two before an arrival are spent looking at the clock between two turns of the event loop.
 */
export class OpenExecutor implements Executor {
  spunMs = 0;
  readonly #phase: OpenPhase;
  readonly #host: PhaseHost;
  readonly #arrivals: Generator<number, void>;
  /**
   * Free users; the last to become free is the next to be asked. Those further down may lie idle until their server closes the
   * connection, in peace; taken in turn, each would come to send just as that happens.
   */
  readonly #free: VirtualUser[] = [];
  readonly #isFree: Uint8Array;
  #startMs: number | null = null;
  #warmUpEndsMs = 0;
  /** When the next arrival is due, milliseconds from the start; null: there is none. */
  #next: number | null = null;
  #released = 0;
  #hired: number;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #lookedMs = 0;
  /** Waiting for a user, and not for an arrival. */
  #starved = false;
  #over = false;

  constructor(phase: OpenPhase, host: PhaseHost) {
    this.#phase = phase;
    this.#host = host;
    this.#arrivals = arrivalTimes(phase.rate);
    this.#isFree = new Uint8Array(phase.vus);
    this.#hired = phase.preAllocatedVus;
  }

  start(): void {
    this.#warmUpEndsMs = this.#host.now() + WARM_UP_MS;
    this.#advance();
    this.#host.hire(this.#hired);
    this.#warmUp();
  }

  take(user: VirtualUser): Turn | 'wait' | null {
    if (this.#over) return null;
    const startMs = this.#startMs;
    if (startMs === null || this.#next === null || startMs + this.#next > this.#host.now()) {
      this.#setFree(user);
      if (this.#starved) this.#awaken();
      return 'wait';
    }
    const row = this.#host.nextRow();
    if (row === null) return null;
    const dueMs = startMs + this.#next;
    this.#released += 1;
    this.#advance();
    return { row, dueMs };
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  ratePerSecond(): number {
    const { startRate, stages } = this.#phase.rate;
    return this.#startMs === null ? 0 : levelAt(startRate, stages, this.#host.now() - this.#startMs);
  }

  #advance(): void {
    const next = this.#arrivals.next();
    this.#next = next.done ? null : next.value;
  }

  #setFree(user: VirtualUser): void {
    // It asks again when its connection was made anew, and is on the list already.
    if (this.#isFree[user.index] === 1) return;
    this.#isFree[user.index] = 1;
    this.#free.push(user);
  }

  #warmUp(): void {
    if (this.#host.connected() < this.#hired && this.#host.now() < this.#warmUpEndsMs) {
      this.#timer = setTimeout(() => this.#warmUp(), 1);
      return;
    }
    this.#startMs = this.#host.now();
    this.#pump();
  }

  /** Releases what is due, then waits for what comes next. */
  #pump(): void {
    const now = this.#host.now() - this.#startMs!;
    while (!this.#over && this.#next !== null && this.#next <= now) {
      const user = this.#free.pop();
      if (user) {
        this.#isFree[user.index] = 0;
        this.#host.late(now - this.#next);
        // It takes this arrival, unless its connection has just gone.
        user.wake();
      } else if (now - this.#next > this.#phase.startWithinMs) this.#drop();
      else break;
    }
    if (this.#over) return;
    if (this.#next === null) {
      this.stop();
      this.#host.finished();
    } else if (this.#next <= now) this.#starve(now);
    else this.#sleep(this.#next - now);
  }

  #drop(): void {
    const row = this.#host.nextRow();
    if (row !== null) this.#host.dropped(row, this.#startMs! + this.#next!);
    this.#released += 1;
    this.#advance();
  }

  /** No user is free: one who becomes free takes the next arrival by itself; beyond that, more users are needed. */
  #starve(now: number): void {
    const waiting = Math.ceil(arrivalsBy(this.#phase.rate, now)) - this.#released;
    this.#hired = Math.min(this.#phase.vus, this.#hired + Math.min(HIRED_AT_ONCE, Math.max(1, waiting)));
    this.#host.hire(this.#hired);
    this.#starved = true;
    this.#timer = setTimeout(() => this.#awaken(), STARVED_LOOK_MS);
  }

  #awaken(): void {
    this.#starved = false;
    clearTimeout(this.#timer);
    this.#immediate = setImmediate(() => this.#pump());
  }

  #sleep(ms: number): void {
    if (ms >= TIMER_MS) {
      this.#timer = setTimeout(() => this.#pump(), Math.floor(ms) - 1);
      return;
    }
    this.#lookedMs = this.#host.now();
    this.#immediate = setImmediate(() => {
      const passed = this.#host.now() - this.#lookedMs;
      if (passed < SPIN_STEP_MS) this.spunMs += passed;
      this.#pump();
    });
  }
}
