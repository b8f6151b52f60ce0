import { formatDuration } from '../lib/duration.ts';
import { number } from '../lib/text/figures.ts';
import { emptyPass, type CouponPass } from './coupon-pass.ts';
import { passText } from './text.ts';

/** What passes did, told at most once in a while: the first at once, what follows as sums by coupon. */
export class PassLines {
  readonly #everyMs: number;
  readonly #untold = new Map<string, CouponPass>();
  #toldMs = Number.NEGATIVE_INFINITY;

  /** @param everyMs 0: each pass is told */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  add(pass: CouponPass): void {
    if (pass.issued + pass.reclaimed + pass.dead === 0) return;
    const sum = this.#untold.get(pass.couponId) ?? emptyPass(pass.couponId);
    for (const field of ['issued', 'reclaimed', 'dead', 'released'] as const) sum[field] += pass[field];
    sum.waiting = pass.waiting;
    this.#untold.set(pass.couponId, sum);
  }

  /** The lines that are due. @param nowMs monotonic; Infinity: all that has not been told */
  due(nowMs: number): string[] {
    if (this.#untold.size === 0 || nowMs - this.#toldMs < this.#everyMs) return [];
    this.#toldMs = nowMs;
    const lines = [...this.#untold.values()].map(passText);
    this.#untold.clear();
    return lines;
  }
}

/** One line for a terminal: how much is done, how fast, and how long it takes. The rate is that of the last ten seconds. */
export class LiveLine {
  readonly #waiting = new Map<string, number>();
  readonly #recent: { atMs: number; issued: number }[];
  #issued = 0;

  constructor(startedMs: number) {
    this.#recent = [{ atMs: startedMs, issued: 0 }];
  }

  text(passes: readonly CouponPass[], nowMs: number): string {
    for (const pass of passes) {
      this.#issued += pass.issued;
      this.#waiting.set(pass.couponId, pass.waiting);
    }
    this.#recent.push({ atMs: nowMs, issued: this.#issued });
    while (this.#recent.length > 2 && nowMs - this.#recent[1]!.atMs > 10_000) this.#recent.shift();
    const since = this.#recent[0]!;
    const perSecond = ((this.#issued - since.issued) * 1_000) / Math.max(1, nowMs - since.atMs);
    const waiting = [...this.#waiting.values()].reduce((sum, one) => sum + one, 0);
    const holder = passes.find(({ heldBy }) => heldBy !== undefined)?.heldBy;
    if (perSecond === 0 && holder !== undefined)
      return `issued ${number(this.#issued)}, ${number(waiting)} waiting, standing by for ${holder}`;
    const left = waiting > 0 && perSecond > 0 ? `, ${formatDuration((waiting / perSecond) * 1_000)} left` : '';
    return `issued ${number(this.#issued)}, ${number(waiting)} waiting, ${number(Math.round(perSecond))}/s${left}`;
  }
}
