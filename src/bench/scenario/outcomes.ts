import { HTTP_STATUS } from '../../campaign/http-status.ts';
import type { AdmissionOutcome, OTHER_OUTCOMES } from '../../campaign/outcome.ts';
import type { ScenarioDocument } from './schema.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/** A reply with this status (and this field, or this text, when one is named) means this outcome. The first rule that fits wins. */
export interface OutcomeRule {
  outcome: AdmissionOutcome | (typeof OTHER_OUTCOMES)[number] | 'unknown';
  status: number;
  /** A field of a JSON body, and the value that it must have; null: the status alone decides. */
  json: FieldRule | null;
  /** A regular expression that the body must match; left out: none. */
  text?: string;
  /** A header of the reply and what it must match; left out: none. */
  header?: { name: string; matches: string };
}

export interface FieldRule {
  /** Names joined by dots; a number is a place in an array. */
  path: string;
  equals: string | number | boolean | null;
}

/** The routes of our own endpoint. */
const OWN_OUTCOMES: OutcomeRule[] = [
  // The endpoint lost the answer of its own store; plain `unavailable` promises that nothing was accepted.
  { outcome: 'unknown', status: 503, json: { path: 'code', equals: 'unknown' } },
  // A wrong path answers 404 as well, and a token of another user 403; only our own code says what is meant.
  ...Object.entries(HTTP_STATUS).map(([outcome, status]) => ({
    outcome: outcome as AdmissionOutcome,
    status,
    json: status === HTTP_STATUS.unknown_coupon || status === HTTP_STATUS.not_open ? { path: 'code', equals: outcome } : null,
  })),
];

/** RFC 6585 §4; a scenario may say otherwise. */
const LIMITED: OutcomeRule = { outcome: 'rate_limited', status: 429, json: null };

export function outcomesOf(read: ScenarioDocument, report: Report): OutcomeRule[] {
  if (!read.outcomes) return [...OWN_OUTCOMES, LIMITED];
  const rules: OutcomeRule[] = [];
  for (const [outcome, written] of Object.entries(read.outcomes)) {
    for (const { status, code, json: field, text, header } of written === undefined ? [] : [written].flat()) {
      if (code !== undefined && field)
        report(['outcomes', outcome], 'code goes not together with json: it is short for json with the path "code"');
      const json = field ?? (code === undefined ? null : { path: 'code', equals: code });
      if ([text, json ?? undefined, header].filter((one) => one !== undefined).length > 1)
        report(['outcomes', outcome], 'header, text and json (or code) go not together: a rule looks at one of them');
      for (const one of [status].flat()) {
        const other = rules.find(
          (rule) =>
            rule.status === one &&
            rule.json?.path === json?.path &&
            rule.json?.equals === json?.equals &&
            rule.text === text &&
            rule.header?.name.toLowerCase() === header?.name.toLowerCase() &&
            rule.header?.matches === header?.matches,
        );
        if (other) report(['outcomes', outcome], `status ${one} stands for ${other.outcome} already`);
        rules.push({
          outcome: outcome as OutcomeRule['outcome'],
          status: one,
          json,
          ...(text === undefined ? {} : { text }),
          ...(header === undefined ? {} : { header }),
        });
      }
    }
  }
  if (!rules.some((rule) => rule.outcome === 'accepted')) report(['outcomes'], 'needs at least a rule for "accepted"');
  if (!rules.some((rule) => rule.status === LIMITED.status)) rules.push(LIMITED);
  // The more particular rule first, so that the order in the file does not matter.
  return rules.toSorted((a, b) => generality(a) - generality(b));
}

/** A field or a header says more than a text, and a text more than a status. */
function generality({ json, text, header }: OutcomeRule): number {
  return json !== null || header !== undefined ? 0 : text !== undefined ? 1 : 2;
}
