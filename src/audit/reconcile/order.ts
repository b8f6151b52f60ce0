/**
 * First come, first served: claims take the oldest who wait, so among users served at their first delivery a higher claim
 * number (fence) must mean a later request. Users who were claimed again are left out, a worker's death cost them their turn
 * without anybody being unfair. Adopted users, whose request time another service chose, are not to be added at all.
 *
 * For that the earliest and the latest request of each claim are enough. Memory is bounded: beyond {@link MAX_TURNS} claims
 * neighbours are merged, and what is out of order within a merged turn is no longer seen.
 */
const MAX_TURNS = 65_536;

interface Turn {
  earliest: number;
  earliestUser: string;
  latest: number;
}

export class OrderProof {
  readonly #maxTurns: number;
  #turns = new Map<number, Turn>();
  /** Claims in one turn. */
  #width = 1;

  constructor(maxTurns = MAX_TURNS) {
    this.#maxTurns = maxTurns;
  }

  /** May be called twice for the same user. */
  add(userId: string, row: { fence: number; requestedUs: number; deliveries: number }): void {
    if (row.deliveries !== 1) return;
    const { requestedUs } = row;
    merge(this.#turns, Math.floor(row.fence / this.#width), { earliest: requestedUs, earliestUser: userId, latest: requestedUs });
    while (this.#turns.size > this.#maxTurns) this.#widen();
  }

  /** Of each claim that served a later request first, the user who had waited longest. */
  late(): string[] {
    const late: string[] = [];
    let latest = Number.NEGATIVE_INFINITY;
    for (const [, turn] of [...this.#turns].toSorted(([a], [b]) => a - b)) {
      if (turn.earliest < latest) late.push(turn.earliestUser);
      latest = Math.max(latest, turn.latest);
    }
    return late;
  }

  #widen(): void {
    const narrow = this.#turns;
    this.#turns = new Map();
    this.#width *= 2;
    for (const [number, turn] of narrow) merge(this.#turns, Math.floor(number / 2), turn);
  }
}

function merge(turns: Map<number, Turn>, number: number, turn: Turn): void {
  const there = turns.get(number);
  if (!there) {
    turns.set(number, { ...turn });
    return;
  }
  if (turn.earliest < there.earliest) Object.assign(there, { earliest: turn.earliest, earliestUser: turn.earliestUser });
  there.latest = Math.max(there.latest, turn.latest);
}
