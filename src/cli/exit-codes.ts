import type { FailureKind } from '../lib/errors.ts';

/** The program's exit codes; docs/operations.md lists them for scripts. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  broken: 4,
  inconclusive: 5,
  threshold: 99,
  interrupted: 130,
  terminated: 143,
} as const;

const OF_KIND: Record<FailureKind, number> = {
  usage: EXIT.usage,
  unreachable: EXIT.unreachable,
  broken: EXIT.broken,
  inconclusive: EXIT.inconclusive,
  failure: EXIT.failure,
};

export function exitCodeOf(kind: FailureKind): number {
  return OF_KIND[kind];
}
