export const VERDICTS = ['ok', 'warning', 'problem', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What is looked at, in the order in which it is shown. */
export const CHECKS = [
  'redis_reachable',
  'redis_version',
  'redis_role',
  'redis_replicas',
  'redis_persistence',
  'redis_writes',
  'redis_eviction',
  'redis_memory',
  'redis_connections',
  'redis_clock',
  'redis_round_trip',
  'postgres_reachable',
  'postgres_version',
  'postgres_role',
  'postgres_durability',
  'postgres_schema',
  'postgres_pooler',
  'postgres_connections',
  'postgres_clock',
  'postgres_round_trip',
  'clocks_of_stores',
  'open_files',
  'event_window',
  'event_drain',
] as const;
export type Check = (typeof CHECKS)[number];

/** One line of the answer. */
export interface Line {
  check: Check;
  /** The server of a cluster, or the coupon; null: there is only one. */
  where: string | null;
  verdict: Verdict;
  text: string;
  /** What to do; null where nothing is to be done. */
  fix: string | null;
}

type Shape = (text: string) => Omit<Line, 'check' | 'where'>;

export const ok: Shape = (text) => ({ verdict: 'ok', text, fix: null });
export const warning = (text: string, fix: string): ReturnType<Shape> => ({ verdict: 'warning', text, fix });
export const problem = (text: string, fix: string): ReturnType<Shape> => ({ verdict: 'problem', text, fix });
/** @param grants what the user lacks */
export const unknown = (text: string, fix: string): ReturnType<Shape> => ({ verdict: 'unknown', text, fix });
