import type { ClosedPhase } from '../plan/phase.ts';
import { levelAt } from '../plan/stages.ts';
import type { Executor, PhaseHost, Turn, VirtualUser } from './executor.ts';

/** How often the number of users is looked at while it changes. */
const RAMP_STEP_MS = 20;

/** Between a user's requests: nothing, then thinking, then done with it. */
const [FREE, THINKING, READY] = [0, 1, 2];

/**
 * The closed model: a virtual user sends its next request when the last has ended and it has thought about it. With stages,
 * only the first so many users have a turn; a user beyond them keeps its connection and waits.
 */
export class ClosedExecutor implements Executor {
  readonly spunMs = 0;
  readonly #phase: ClosedPhase;
  readonly #host: PhaseHost;
  readonly #waiting = new Map<number, VirtualUser>();
  readonly #asked: Uint8Array;
  /** Of each user: `FREE`, `THINKING` or `READY`. */
  readonly #state: Uint8Array;
  readonly #timers = new Set<NodeJS.Timeout>();
  #ramp: NodeJS.Timeout | undefined;
  #active = 0;
  #startMs = 0;
  #over = false;

  constructor(phase: ClosedPhase, host: PhaseHost) {
    this.#phase = phase;
    this.#host = host;
    this.#asked = new Uint8Array(phase.vus);
    this.#state = new Uint8Array(phase.vus);
  }

  start(): void {
    const { executor, vus } = this.#phase;
    this.#startMs = this.#host.now();
    if (executor === 'ramping-vus') {
      this.#adapt();
      this.#ramp = setInterval(() => this.#adapt(), RAMP_STEP_MS);
    } else {
      this.#active = vus;
      this.#host.hire(vus);
    }
  }

  take(user: VirtualUser): Turn | 'wait' | null {
    if (this.#over) return null;
    if (user.index >= this.#active) {
      this.#waiting.set(user.index, user);
      return 'wait';
    }
    if (this.#thinks(user)) return 'wait';
    const row = this.#host.nextRow();
    if (row === null) {
      this.stop();
      this.#host.finished();
      return null;
    }
    this.#asked[user.index] = 1;
    // A request is wanted when a user is free for it.
    return { row, dueMs: this.#host.now() };
  }

  stop(): void {
    this.#over = true;
    clearInterval(this.#ramp);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  ratePerSecond(): null {
    return null;
  }

  #adapt(): void {
    const phase = this.#phase;
    if (phase.executor === 'shared-iterations') return;
    this.#active = Math.round(levelAt(phase.startVus, phase.stages, this.#host.now() - this.#startMs));
    this.#host.hire(this.#active);
    for (const [index, user] of this.#waiting) {
      if (index >= this.#active) continue;
      this.#waiting.delete(index);
      user.wake();
    }
  }

  /** Between two requests of a user; a connection that is made anew meanwhile does not shorten it. */
  #thinks(user: VirtualUser): boolean {
    const { think } = this.#phase;
    const { index } = user;
    if (!think || this.#asked[index] === 0 || think.maxMs === 0) return false;
    if (this.#state[index] === READY) {
      this.#state[index] = FREE;
      return false;
    }
    if (this.#state[index] === THINKING) return true;
    this.#state[index] = THINKING;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#state[index] = READY;
        user.wake();
      },
      think.minMs + Math.random() * (think.maxMs - think.minMs),
    );
    this.#timers.add(timer);
    return true;
  }
}
