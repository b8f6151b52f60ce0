import { checkIntegrity } from './checks/checker.ts';
import type { BenchReport } from './report/report.ts';
import { demandOf } from './checks/demand.ts';
import { verdictOf } from './report/verdict.ts';
import type { BenchRun } from './run.ts';

/**
 * Judges a kept run again: the checker goes over every request and all evidence once more, and the verdict follows anew. What
 * was measured (latencies, thresholds, the generator) stands as it was.
 */
export function judgeAgain({ report, record, evidence, users }: BenchRun): BenchReport {
  const { thresholds, exitCode, notes, scenario } = report;
  const integrity = checkIntegrity(record, evidence, users, scenario.perUser === undefined ? 1 : scenario.perUser);
  return {
    ...report,
    integrity,
    ...verdictOf({
      integrity,
      skip: scenario.skip,
      thresholds,
      demand: demandOf(record, evidence),
      targetLost: notes.some((note) => note.code === 'TARGET_LOST'),
      interrupted: exitCode === 130 || exitCode === 143 ? exitCode : null,
    }),
  };
}
