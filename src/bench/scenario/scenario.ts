import type { CouponDefinition } from '../../campaign/coupon.ts';
import { isCouponId } from '../../campaign/ids.ts';
import { COUPON_IDS, couponDefinition } from '../../campaign/event.ts';
import type { Variables } from '../../lib/environment.ts';
import type { Phase } from '../plan/phase.ts';
import { outcomesOf, type OutcomeRule } from './outcomes.ts';
import { phasesOf } from './phases.ts';
import { followUpsOf, type FollowUps } from './follow-ups.ts';
import { requestOf, type RequestTemplate } from './request.ts';
import { stepsOf, type CaptureRule, type StepsPart } from './steps.ts';
import { checkAllVariables, wantedFromTable } from './variables.ts';
import { scenarioSchema } from './schema.ts';
import type { ScenarioDocument } from './schema.ts';
import { usersOf, type OpenFile } from './users.ts';
import { MAX_USERS } from './schema-parts.ts';
import { verifyOf } from './verify.ts';
import type { VerifyPart } from './verify.ts';
import { parseMetric, parseThreshold } from './thresholds.ts';
import type { Threshold } from './thresholds.ts';
import { timelineOf, type TimelineEntry } from './timeline.ts';
import { plannedRequests } from '../plan/user-plan.ts';
import type { UserOptions } from '../plan/user-plan.ts';
import type { Report } from '../../lib/yaml/issues.ts';
import { readYaml } from '../../lib/yaml/yaml-file.ts';

/** A load and what is expected of it. Times are milliseconds. */
export interface Scenario extends VerifyPart, StepsPart {
  name: string;
  description: string;
  /** Null: given with `--url`, or the server that `--stack` starts. */
  target: string | null;
  /** `ca` as it is written: the path of a PEM file; null: the authorities that Node knows. */
  tls: { ca: string | null; insecure: boolean };
  coupons: CouponDefinition[];
  /** All users rush for one coupon before the next one, instead of each user for all coupons. */
  series: boolean;
  request: RequestTemplate;
  /** Where an accepted reply names the coupon that it issued; null: it does not. */
  issueId: CaptureRule | null;
  /** So many coupons one user may have; null: any number. */
  perUser: number | null;
  followUps: FollowUps;
  /** So many times the whole load, each on a fresh state. */
  rounds: number;
  users: UserOptions;
  outcomes: OutcomeRule[];
  /** One after another. */
  phases: Phase[];
  /** How long requests in flight may take to end after the last phase. */
  gracefulStopMs: number;
  /** Pace of the drain that `--stack` starts. */
  drain: { intervalMs: number; batch: number; eager: boolean; leaseMs: number };
  /** What is done to the service meanwhile; only to one that `--stack` starts. */
  timeline: TimelineEntry[];
  thresholds: Threshold[];
}

export type { OutcomeRule } from './outcomes.ts';
export type { RequestTemplate } from './request.ts';

/** What a scenario may ask of the world it is read in. */
export interface ScenarioWorld {
  /** Environment variables, for `${NAME}`. */
  variables?: Variables;
  /** Files that the scenario names, by the path as it is written. */
  open?: OpenFile;
}

const SCENARIO = {
  schema: scenarioSchema,
  asWritten: COUPON_IDS,
  texts: ['query'],
  code: 'BAD_SCENARIO' as const,
  what: 'a valid scenario',
  fix: 'Correct these lines; `coupon-cli bench list` shows scenarios to start from.',
};

/**
 * A scenario from its YAML text (JSON is YAML too).
 *
 * @param file only for messages
 * @param world without `open` a scenario cannot take its users from a file
 * @throws CouponError `BAD_SCENARIO` naming line and column of every problem
 */
export function parseScenario(source: string, file: string, { variables = {}, open }: ScenarioWorld = {}): Scenario {
  return readYaml(SCENARIO, source, file, (read, report) => toScenario(read, report, open), variables);
}

/** What the fields mean, and whether they go together. */
function toScenario(read: ScenarioDocument, report: Report, open: OpenFile | undefined): Scenario {
  const request = requestOf(read.request, report);
  const steps = stepsOf(read, report);
  const followUps = followUpsOf(read, report);
  const users = usersOf(read, wantedFromTable({ request, followUps, ...steps }), open, report);
  checkAllVariables({ request, followUps, ...steps }, users, couponCount(read), report);
  const coupons = couponsOf(read, report);
  const planned = plannedRequests(users, coupons.length);
  if (planned > 10 * MAX_USERS) report(['users'], `these users would make ${planned} requests; at most ${10 * MAX_USERS} are possible`);
  return {
    name: read.name,
    description: read.description.trim(),
    target: read.target ?? null,
    tls: { ca: read.tls.ca ?? null, insecure: read.tls.insecure },
    coupons,
    series: !Array.isArray(read.coupons),
    request,
    issueId: read.request.issueId ?? null,
    perUser: read.users.perUser === 'any' ? null : read.users.perUser,
    followUps,
    ...steps,
    rounds: read.rounds,
    users,
    outcomes: outcomesOf(read, report),
    phases: phasesOf(read.phases, planned, report),
    gracefulStopMs: read.gracefulStop,
    ...verifyOf(read, report),
    drain: { intervalMs: read.drain.interval, batch: read.drain.batch, eager: read.drain.eager, leaseMs: read.drain.lease },
    timeline: timelineOf(read.timeline),
    thresholds: thresholdsOf(read, report),
  };
}

function couponsOf(read: ScenarioDocument, report: Report): CouponDefinition[] {
  if (!Array.isArray(read.coupons)) return seriesOf(read.coupons, report);
  const seen = new Set<string>();
  return read.coupons.map((coupon, index) => {
    if (seen.has(coupon.id)) report(['coupons', index, 'id'], `"${coupon.id}" is there twice`);
    seen.add(coupon.id);
    return couponDefinition({ ...coupon, name: coupon.name ?? coupon.id }, ['coupons', index], report);
  });
}

function couponCount({ coupons }: ScenarioDocument): number {
  return Array.isArray(coupons) ? coupons.length : coupons.count;
}

function seriesOf(
  { count, prefix, start, ...coupon }: Exclude<ScenarioDocument['coupons'], unknown[]>,
  report: Report,
): CouponDefinition[] {
  const last = `${prefix}${start + count - 1}`;
  if (!isCouponId(last) || !isCouponId(`${prefix}${start}`)) {
    report(
      ['coupons', 'prefix'],
      `"${last}" would not be a coupon id: letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit`,
    );
    return [];
  }
  return Array.from({ length: count }, (_, index) => {
    const id = `${prefix}${start + index}`;
    return couponDefinition({ ...coupon, id, name: id }, ['coupons'], index === 0 ? report : () => {});
  });
}

function thresholdsOf(read: ScenarioDocument, report: Report): Threshold[] {
  const thresholds: Threshold[] = [];
  for (const [metric, written] of Object.entries(read.thresholds)) {
    const source = parseMetric(metric);
    if ('problem' in source) {
      report(['thresholds', metric], source.problem);
      continue;
    }
    for (const one of [written].flat()) {
      const { threshold: expr, abortOnFail, delayAbortEval } = typeof one === 'string' ? { threshold: one, abortOnFail: false } : one;
      const threshold = parseThreshold(metric, source, expr);
      if ('problem' in threshold) report(['thresholds', metric], threshold.problem);
      else if (abortOnFail && source.kind === 'figure')
        report(['thresholds', metric], 'is only known after the load: abortOnFail is not possible');
      else thresholds.push(abortOnFail ? { ...threshold, abortAfterMs: delayAbortEval } : threshold);
    }
  }
  return thresholds;
}
