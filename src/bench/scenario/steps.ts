import type { z } from 'zod';
import type { ScenarioDocument } from './schema.ts';
import type { stepSchema } from './request-schema.ts';
import { templateOf, type RequestTemplate } from './request.ts';
import type { Report } from '../../lib/yaml-file.ts';

/** Where in a reply a value is found; exactly one of them. */
export type CaptureRule = { json: string } | { header: string } | { cookie: string } | { text: string };

/** A request beside the load, and what later ones take from its reply. */
export interface Step {
  /** For messages: as it is written, or method and path. */
  name: string;
  request: RequestTemplate;
  /** Null: any 2xx or 3xx. */
  expect: readonly number[] | null;
  capture: Record<string, CaptureRule>;
}

/** What is sent around the load. Variables of `setup` hold for the whole run, those of `prepare` for one user. */
export interface StepsPart {
  /** Once, before the coupons are looked at. */
  setup: Step[];
  /** The same before each round. */
  before: Step[];
  /** Once for each user, before the load. */
  prepare: Step[];
  /** Once, after everything was read. */
  teardown: Step[];
}

const PARTS = ['setup', 'before', 'prepare', 'teardown'] as const;

export function stepsOf(read: ScenarioDocument, report: Report): StepsPart {
  const [setup, before, prepare, teardown] = PARTS.map((part) => read[part].map((step, index) => stepOf(step, [part, index], report)));
  return { setup: setup!, before: before!, prepare: prepare!, teardown: teardown! };
}

function stepOf(written: z.output<typeof stepSchema>, at: readonly PropertyKey[], report: Report): Step {
  const { name, expect, capture } = written;
  return {
    name: name ?? `${written.method} ${written.path}`,
    request: templateOf(written, at, report),
    expect: expect === undefined ? null : [expect].flat(),
    capture,
  };
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
