import { CouponError } from '../lib/errors.ts';

/** About half a second of work for one process: more would only be answered after their users have gone. */
export const MAX_PENDING = 10_000;

/** The requests of this process that have no answer yet. Past the limit the next one is refused at once, whatever it waits for. */
export class Backlog {
  readonly #max: number;
  #pending = 0;

  constructor(max = MAX_PENDING) {
    this.#max = max;
  }

  get pending(): number {
    return this.#pending;
  }

  /** @throws CouponError `OVERLOADED`; the work was not begun */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pending >= this.#max) throw overloaded(`${this.#max} requests wait for an answer already`);
    this.#pending += 1;
    try {
      return await work();
    } finally {
      this.#pending -= 1;
    }
  }
}

export function overloaded(why: string): CouponError {
  return new CouponError({
    code: 'OVERLOADED',
    kind: 'unreachable',
    message: 'requests are refused with 503 because the stores do not keep up',
    why,
    fix: 'Look at the load of Redis and PostgreSQL, or start more processes (`serve --workers`).',
  });
}
