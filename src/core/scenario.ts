import type { CouponDefinition } from './coupon.ts';
import { couponDefinition } from './event.ts';
import { isUserId } from './ids.ts';
import type { CheckName } from './integrity.ts';
import type { AdmissionOutcome } from './outcome.ts';
import { MAX_USERS, scenarioSchema } from './scenario-schema.ts';
import type { ScenarioDocument } from './scenario-schema.ts';
import { suggestion } from './suggest.ts';
import { parseMetric, parseThreshold } from './thresholds.ts';
import type { Threshold } from './thresholds.ts';
import { timelineOf, type TimelineEntry } from './timeline.ts';
import { plannedRequests } from './user-plan.ts';
import type { UserOptions } from './user-plan.ts';
import { readYaml, type Report } from './yaml-file.ts';

/** A load and what is expected of it. Times are milliseconds. */
export interface Scenario {
  name: string;
  description: string;
  /** Null: given with `--url`, or the server that `--stack` starts. */
  target: string | null;
  coupons: CouponDefinition[];
  request: RequestTemplate;
  users: UserOptions;
  outcomes: OutcomeRule[];
  /** One after another. */
  phases: Phase[];
  /** How long requests in flight may take to end after the last phase. */
  gracefulStopMs: number;
  settle: { timeoutMs: number; quietForMs: number };
  /** Pace of the drain that `--stack` starts. */
  drain: { intervalMs: number; batch: number; eager: boolean; leaseMs: number };
  /** What is done to the service meanwhile; only to one that `--stack` starts. */
  timeline: TimelineEntry[];
  thresholds: Threshold[];
  /** Checks that may stay unmade without making the verdict inconclusive. */
  skip: CheckName[];
}

/** `{{userId}}`, `{{couponId}}` and `{{requestId}}` are filled in, each escaped for its place. */
export interface RequestTemplate {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Undefined: no body. */
  json: unknown;
  timeoutMs: number;
}

/** A reply with this status (and problem code, when one is given) means this outcome. The first rule that fits wins. */
export interface OutcomeRule {
  outcome: AdmissionOutcome | 'unknown';
  status: number;
  code: string | null;
}

/** `vus` virtual users share `iterations` requests; each sends its next one when the last has ended. */
export interface Phase {
  name: string;
  executor: 'shared-iterations';
  vus: number;
  iterations: number;
  maxDurationMs: number;
}

/** The routes of our own endpoint. */
const OWN_OUTCOMES: OutcomeRule[] = [
  // The endpoint lost the answer of its own store; plain `unavailable` promises that nothing was accepted.
  { outcome: 'unknown', status: 503, code: 'unknown' },
  { outcome: 'accepted', status: 202, code: null },
  { outcome: 'duplicate', status: 409, code: null },
  { outcome: 'sold_out', status: 410, code: null },
  { outcome: 'not_open', status: 403, code: null },
  { outcome: 'unknown_coupon', status: 404, code: null },
  { outcome: 'unavailable', status: 503, code: null },
];

const SCENARIO = {
  schema: scenarioSchema,
  code: 'BAD_SCENARIO',
  what: 'a valid scenario',
  fix: 'Correct these lines; `coupon-cli bench list` shows scenarios to start from.',
};

const VARIABLES = ['userId', 'couponId', 'requestId'];

/**
 * A scenario from its YAML text (JSON is YAML too).
 *
 * @param file only for messages
 * @throws CouponError `BAD_SCENARIO` naming line and column of every problem
 */
export function parseScenario(source: string, file: string): Scenario {
  return readYaml(SCENARIO, source, file, meaning);
}

/** What the fields mean, and whether they go together. */
function meaning(read: ScenarioDocument, report: Report): Scenario {
  const { request, users } = read;
  const planned = plannedRequests(users, read.coupons.length);
  if (planned > 10 * MAX_USERS) report(['users'], `these users would make ${planned} requests; at most ${10 * MAX_USERS} are possible`);
  const lastUser = `${users.prefix}${users.start + users.count - 1}`;
  if (!isUserId(lastUser))
    report(['users', 'prefix'], `"${lastUser}" would not be a user id: 1–128 visible ASCII characters other than braces`);
  const json =
    request.json === undefined && request.method !== 'GET' && request.method !== 'DELETE' ? { userId: '{{userId}}' } : request.json;
  checkVariables(request.path, ['request', 'path'], report);
  checkVariables(JSON.stringify(json ?? null), ['request', 'json'], report);
  for (const [name, value] of Object.entries(request.headers)) {
    checkVariables(value, ['request', 'headers', name], report);
    if (/^(host|content-length|transfer-encoding|connection)$/i.test(name))
      report(['request', 'headers', name], 'is set by the load generator');
  }
  return {
    name: read.name,
    description: read.description.trim(),
    target: read.target ?? null,
    coupons: couponsOf(read, report),
    request: { method: request.method, path: request.path, headers: request.headers, json, timeoutMs: request.timeout },
    users,
    outcomes: outcomesOf(read, report),
    phases: phasesOf(read, planned, report),
    gracefulStopMs: read.gracefulStop,
    settle: { timeoutMs: read.settle.timeout, quietForMs: read.settle.quietFor },
    drain: { intervalMs: read.drain.interval, batch: read.drain.batch, eager: read.drain.eager, leaseMs: read.drain.lease },
    timeline: timelineOf(read.timeline),
    thresholds: thresholdsOf(read, report),
    skip: read.verify.skip,
  };
}

function checkVariables(text: string, path: readonly PropertyKey[], report: Report): void {
  for (const [, name] of text.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g)) {
    if (!VARIABLES.includes(name!)) report(path, `there is no variable "{{${name}}}"${suggestion(name!, VARIABLES)}`);
  }
}

function couponsOf(read: ScenarioDocument, report: Report): CouponDefinition[] {
  const seen = new Set<string>();
  return read.coupons.map((coupon, index) => {
    if (seen.has(coupon.id)) report(['coupons', index, 'id'], `"${coupon.id}" is there twice`);
    seen.add(coupon.id);
    return couponDefinition({ ...coupon, name: coupon.name ?? coupon.id }, ['coupons', index], report);
  });
}

function outcomesOf(read: ScenarioDocument, report: Report): OutcomeRule[] {
  if (!read.outcomes) return OWN_OUTCOMES;
  const rules: OutcomeRule[] = [];
  for (const [outcome, written] of Object.entries(read.outcomes)) {
    for (const { status, code = null } of written === undefined ? [] : [written].flat()) {
      for (const one of [status].flat()) {
        const other = rules.find((rule) => rule.status === one && rule.code === code);
        if (other) report(['outcomes', outcome], `status ${one} stands for ${other.outcome} already`);
        rules.push({ outcome: outcome as OutcomeRule['outcome'], status: one, code });
      }
    }
  }
  if (!rules.some((rule) => rule.outcome === 'accepted')) report(['outcomes'], 'needs at least a rule for "accepted"');
  // The more particular rule first, so that the order in the file does not matter.
  return rules.toSorted((a, b) => Number(a.code === null) - Number(b.code === null));
}

function phasesOf(read: ScenarioDocument, planned: number, report: Report): Phase[] {
  let left = planned;
  return read.phases.map((phase, index) => {
    const iterations = phase.iterations ?? left;
    if (iterations > left)
      report(['phases', index, 'iterations'], `only ${left} of the ${planned} requests of these users are left for this phase`);
    else if (iterations === 0) report(['phases', index], `none of the ${planned} requests of these users is left for this phase`);
    left = Math.max(0, left - iterations);
    return {
      name: phase.name ?? `phase ${index + 1}`,
      executor: phase.executor,
      vus: phase.vus,
      iterations,
      maxDurationMs: phase.maxDuration,
    };
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
    for (const expr of [written].flat()) {
      const threshold = parseThreshold(metric, source, expr);
      if ('problem' in threshold) report(['thresholds', metric], threshold.problem);
      else thresholds.push(threshold);
    }
  }
  return thresholds;
}
