import { isOpen, wantedRequests, type OpenPhase, type Phase, type ThinkTime } from '../plan/phase.ts';
import type { PhaseDocument } from './phase-schema.ts';
import { stagesMs, type Stage } from '../plan/stages.ts';
import type { Report } from '../../lib/yaml/issues.ts';

const MAX_PER_SECOND = 1_000_000;
const LONGEST_MS = 86_400_000;

/**
 * The phases as they were written, with what was left out filled in.
 *
 * @param planned requests that the users of the scenario make; a phase that needs more than are left for it is a problem
 */
export function phasesOf(written: readonly PhaseDocument[], planned: number, report: Report): Phase[] {
  const phases = written.map((phase, index) => phaseOf(phase, index, report));
  let left = planned;
  return phases.map((phase, index) => {
    const at = ['phases', index];
    // What later phases have to have is not this one's to take.
    const reserved = phases.slice(index + 1).reduce((sum, later) => sum + (wantedRequests(later) || 0), 0);
    if (phase.executor === 'shared-iterations' && phase.iterations === 0) phase.iterations = Math.max(0, left - reserved);
    const wanted = wantedRequests(phase);
    if (wanted === 0 && phase.executor === 'shared-iterations')
      report(at, `none of the ${planned} requests of these users is left for this phase`);
    else if (wanted === 0) report(at, 'makes no request at all');
    else if (wanted !== null && wanted > left) {
      if (isOpen(phase))
        report(at, `makes ${wanted} requests, but of the ${planned} of these users only ${left} are left; raise users.count`);
      else report([...at, 'iterations'], `only ${left} of the ${planned} requests of these users are left for this phase`);
    }
    left = Math.max(0, left - (wanted ?? 0));
    return phase;
  });
}

type At = readonly PropertyKey[];

function phaseOf(written: PhaseDocument, index: number, report: Report): Phase {
  const at = ['phases', index];
  const name = written.name ?? `phase ${index + 1}`;
  if ('timeUnit' in written) return { ...openOf(written, at, report), name };
  if ('maxDuration' in written) {
    // Iterations that were not written are the rest, which the caller fills in.
    const { vus, iterations = 0, maxDuration } = written;
    return { name, executor: 'shared-iterations', vus, iterations, maxDurationMs: maxDuration, think: thinkOf(written, at, report) };
  }
  const constant = written.executor === 'constant-vus';
  const stages = constant ? [{ durationMs: written.duration, target: written.vus }] : stagesOf(written.stages);
  const startVus = constant ? written.vus : written.startVUs;
  const vus = Math.max(startVus, ...stages.map((stage) => stage.target));
  if (vus === 0) report([...at, 'stages'], 'never has a virtual user');
  const maxDurationMs = durationOf(stages, at, report);
  return { name, executor: written.executor, vus, startVus, stages, maxDurationMs, think: thinkOf(written, at, report) };
}

function openOf(written: Extract<PhaseDocument, { timeUnit: number }>, at: At, report: Report): Omit<OpenPhase, 'name'> {
  const { executor, timeUnit, maxVUs, preAllocatedVUs = maxVUs, startWithin } = written;
  const perSecond = (rate: number): number => (rate * 1_000) / timeUnit;
  const constant = executor === 'constant-arrival-rate';
  const startRate = perSecond(constant ? written.rate : written.startRate);
  const stages = constant
    ? [{ durationMs: written.duration, target: startRate }]
    : stagesOf(written.stages).map((stage) => ({ ...stage, target: perSecond(stage.target) }));
  if (preAllocatedVUs > maxVUs) report([...at, 'preAllocatedVUs'], `is more than the ${maxVUs} of maxVUs`);
  const peak = Math.max(startRate, ...stages.map((stage) => stage.target));
  if (peak > MAX_PER_SECOND) report(at, `would reach ${Math.round(peak)} requests a second; at most ${MAX_PER_SECOND} are possible`);
  return {
    executor,
    vus: maxVUs,
    rate: { startRate, stages },
    preAllocatedVus: preAllocatedVUs,
    startWithinMs: startWithin,
    maxDurationMs: durationOf(stages, at, report),
  };
}

function durationOf(stages: readonly Stage[], at: At, report: Report): number {
  const ms = stagesMs(stages);
  if (ms > LONGEST_MS) report([...at, 'stages'], 'must be at most 24h together');
  return ms;
}

function stagesOf(written: readonly { duration: number; target: number }[]): Stage[] {
  return written.map((stage) => ({ durationMs: stage.duration, target: stage.target }));
}

function thinkOf(
  { thinkTime }: { thinkTime?: number | { min: number; max: number } | undefined },
  at: At,
  report: Report,
): ThinkTime | null {
  if (thinkTime === undefined) return null;
  if (typeof thinkTime === 'number') return { minMs: thinkTime, maxMs: thinkTime };
  if (thinkTime.max < thinkTime.min) report([...at, 'thinkTime', 'max'], 'is less than min');
  return { minMs: thinkTime.min, maxMs: thinkTime.max };
}
