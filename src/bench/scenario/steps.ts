import type { z } from 'zod';
import type { ScenarioDocument } from './schema.ts';
import type { stepSchema } from './request-schema.ts';
import { templateOf, type RequestTemplate } from './request.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/** Where in a reply a value is found; exactly one of them. */
export type CaptureRule = { json: string } | { header: string } | { cookie: string } | { text: string };

/** A request beside the load, and what later ones take from its reply. */
export interface RequestStep {
  /** For messages: as it is written, or method and path. */
  name: string;
  request: RequestTemplate;
  /** Null: any 2xx or 3xx. */
  expect: readonly number[] | null;
  capture: Record<string, CaptureRule>;
}

/** Something else that makes the state of a run: statements for the database, or a program. */
export interface ActionStep {
  name: string;
  action: Action;
  capture: Record<string, never>;
}

export type Action = { sql: string; timeoutMs: number } | { command: readonly string[]; timeoutMs: number };

export type Step = RequestStep | ActionStep;

/** What is sent around the load. Variables of `setup` hold for the whole run, those of `prepare` for one user. */
export interface StepsPart {
  /** Once, before the coupons are looked at. */
  setup: Step[];
  /** The same before each round. */
  before: Step[];
  /** Once for each user, before the load. */
  prepare: RequestStep[];
  /** Once, after everything was read. */
  teardown: Step[];
}

const PARTS = ['setup', 'before', 'prepare', 'teardown'] as const;

export function stepsOf(read: ScenarioDocument, report: Report): StepsPart {
  const [setup, before, prepare, teardown] = PARTS.map((part) => read[part].map((step, index) => stepOf(step, [part, index], report)));
  prepare!.forEach((step, index) => {
    if ('action' in step) report(['prepare', index], 'sends requests only: what is done once belongs into setup or before');
  });
  return { setup: setup!, before: before!, prepare: prepare!.filter((step) => 'request' in step), teardown: teardown! };
}

function stepOf(written: z.output<typeof stepSchema>, at: readonly PropertyKey[], report: Report): Step {
  const { name, path, sql, command, expect, capture, timeout } = written;
  const kinds = Object.entries({ path, sql, command }).filter(([, value]) => value !== undefined);
  if (kinds.length !== 1) report(at, 'needs one of path, sql and command');
  const action = sql === undefined ? (command === undefined ? null : { command, timeoutMs: timeout }) : { sql, timeoutMs: timeout };
  if (action !== null) {
    const strange = (['query', 'auth', 'json', 'body', 'expect'] as const).find((key) => written[key] !== undefined);
    if (strange !== undefined) report([...at, strange], 'belongs to a request');
    if (Object.keys(capture).length > 0) report([...at, 'capture'], 'belongs to a request');
    return { name: name ?? (sql === undefined ? `command ${command![0]}` : 'sql'), action, capture: {} };
  }
  return {
    name: name ?? `${written.method} ${path}`,
    request: templateOf({ ...written, path: path ?? '/' }, at, report),
    expect: expect === undefined ? null : [expect].flat(),
    capture,
  };
}

/** What steps need beside the service: a database to write to, programs to run. */
export function actionsOf({ setup, before, teardown }: StepsPart): Action[] {
  return [...setup, ...before, ...teardown].flatMap((step) => ('action' in step ? [step.action] : []));
}

/** Names that steps capture. */
export function capturedBy(steps: readonly Step[]): string[] {
  return steps.flatMap(({ capture }) => Object.keys(capture));
}

/** Each step with the names that are known when it is sent: those given, and what the steps before it captured. */
export function stepsWithKnown(steps: readonly Step[], given: readonly string[]): { step: Step; known: string[] }[] {
  const known = [...given];
  return steps.map((step) => {
    const here = [...known];
    known.push(...Object.keys(step.capture));
    return { step, known: here };
  });
}
