/** What decides when a virtual user of a phase sends its next request, and what it needs for that. */

/** A virtual user, as an executor sees it: one connection with at most one request under way. */
export interface VirtualUser {
  /** From 0, in the order of hiring. */
  readonly index: number;
  /** Lets it ask `take` now; connects first if it never has. Nothing happens while it has a request under way. */
  wake(): void;
}

/** What an executor may ask of the phase that it drives. Times are milliseconds of one monotonic clock. */
export interface PhaseHost {
  now(): number;
  /** Brings virtual users into being up to this number; each calls `take` as soon as its connection stands. */
  hire(users: number): void;
  /** How many of them have a connection. */
  connected(): number;
  /** The next request of the plan; null: there is none left. */
  nextRow(): number | null;
  /** A request that was due and will not be sent. */
  dropped(row: number, dueMs: number): void;
  /** A request leaves so late although a user was free: the generator itself was busy. */
  late(ms: number): void;
  /** Nothing more will be sent; what is under way gets its time. */
  finished(): void;
}

/** A row to send; `dueMs` is when the plan wanted it to leave. */
export interface Turn {
  row: number;
  dueMs: number;
}

export interface Executor {
  start(): void;
  /** A user is free. `wait`: it will be woken. Null: the phase has nothing more for it. */
  take(user: VirtualUser): Turn | 'wait' | null;
  /** No `take` gives a request from now on. */
  stop(): void;
  /** Requests per second that are due at the moment; null: that follows from the replies. */
  ratePerSecond(): number | null;
  /** Milliseconds that were spent on nothing but looking at the clock. */
  readonly spunMs: number;
}
