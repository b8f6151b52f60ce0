import type { ThresholdResult } from './scenario/thresholds.ts';
import type { AbortedLoad, LoadResult } from './ports.ts';
import type { Note } from './report/report.ts';
import { requestCounts } from './report/requests.ts';

/** Notes on the load itself: how it ended, and whether it was the load that was asked for. */
export function loadNotes(load: LoadResult): Note[] {
  const { aborted, generator, ranOut } = load;
  const { dropped, left } = requestCounts(load);
  const notes: (Note | false)[] = [
    load.interrupted && { code: 'INTERRUPTED', facts: { unsent: left } },
    load.targetLost && { code: 'TARGET_LOST', facts: { unsent: left } },
    aborted !== null && {
      code: 'ABORTED_BY_THRESHOLD',
      facts: {
        metric: aborted.metric,
        expr: aborted.expr,
        actual: aborted.actual,
        phase: aborted.phase,
        second: Math.round(aborted.atMs / 100) / 10,
        answeredPerSecond: Math.round(aborted.answeredPerSecond),
        ...(aborted.askedPerSecond === null ? {} : { askedPerSecond: Math.round(aborted.askedPerSecond) }),
      },
    },
    outOfConnections(generator.faults),
    dropped > 0 && { code: 'ARRIVALS_DROPPED', facts: { dropped, vus: generator.vus } },
    ...ranOut.map((phase): Note => ({ code: 'USERS_RAN_OUT', facts: { phase } })),
    generator.limited && {
      code: 'GENERATOR_LIMITED',
      facts: { busy: generator.eventLoopUtilization, ...(generator.startLagMs ? { startLagMs: generator.startLagMs.p99 } : {}) },
    },
  ];
  return notes.filter((note) => note !== false);
}

/** A threshold that ended the load stays missed, with the figure that ended it, even if the last replies made up for it. */
export function stillMissed(results: ThresholdResult[], aborted: AbortedLoad | null): ThresholdResult[] {
  if (!aborted) return results;
  const { metric, expr, actual } = aborted;
  return results.map((result) =>
    result.ok && result.metric === metric && result.expr === expr ? { metric, expr, actual, ok: false } : result,
  );
}

/** Faults by which this machine, and not the target, says that it has no more connections to give. */
const OWN_LIMITS = ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS'];

function outOfConnections(faults: Readonly<Record<string, number>>): Note | false {
  const own = OWN_LIMITS.filter((fault) => faults[fault] !== undefined);
  return (
    own.length > 0 && {
      code: 'GENERATOR_OUT_OF_CONNECTIONS',
      facts: { faults: own.map((fault) => `${fault} ${faults[fault]}`).join(', ') },
    }
  );
}
