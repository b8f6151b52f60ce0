import { outcomeCode } from '../checks/integrity.ts';
import type { FieldRule, OutcomeRule } from '../scenario/outcomes.ts';

/** The outcome (as a code) of a reply. */
export type Classifier = (status: number, body: string) => number;

interface Field extends FieldRule {
  names: string[];
  outcome: number;
}

/** Rules in order, the first that fits; a reply that none explains is unexpected. The body is only read where a rule asks for a field. */
export function classifier(rules: readonly OutcomeRule[]): Classifier {
  const unexpected = outcomeCode('unexpected');
  const plain = new Uint8Array(1_000).fill(unexpected);
  const byField = new Map<number, Field[]>();
  for (const { outcome, status, json } of rules.toReversed()) {
    const code = outcomeCode(outcome);
    if (json === null) plain[status] = code;
    else byField.set(status, [{ ...json, names: json.path.split('.'), outcome: code }, ...(byField.get(status) ?? [])]);
  }
  return (status, body) => {
    const fields = byField.size > 0 ? byField.get(status) : undefined;
    if (fields) {
      const document = parse(body);
      const fitting = fields.find(({ names, equals }) => valueAt(document, names) === equals);
      if (fitting) return fitting.outcome;
    }
    return plain[status] ?? unexpected;
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Undefined, which equals nothing that a rule can name, where there is no such field. */
function valueAt(document: unknown, names: readonly string[]): unknown {
  let value = document;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
