import { outcomeCode } from '../checks/integrity.ts';
import type { OutcomeRule } from '../scenario/outcomes.ts';

/** The outcome (as a code) of a reply. */
export type Classifier = (status: number, body: string) => number;

/** What a rule looks for in the body of a reply with its status. */
interface Look {
  outcome: number;
  fits: (body: string, document: () => unknown) => boolean;
}

/** Rules in order, the first that fits; a reply that none explains is unexpected. The body is only read where a rule asks for it. */
export function classifier(rules: readonly OutcomeRule[]): Classifier {
  const unexpected = outcomeCode('unexpected');
  const plain = new Uint8Array(1_000).fill(unexpected);
  const looks = new Map<number, Look[]>();
  for (const rule of rules.toReversed()) {
    const outcome = outcomeCode(rule.outcome);
    const fits = lookOf(rule);
    if (fits === null) plain[rule.status] = outcome;
    else looks.set(rule.status, [{ outcome, fits }, ...(looks.get(rule.status) ?? [])]);
  }
  return (status, body) => {
    const some = looks.size > 0 ? looks.get(status) : undefined;
    if (some) {
      let parsed: { document: unknown } | null = null;
      const document = (): unknown => (parsed ??= { document: parse(body) }).document;
      const fitting = some.find(({ fits }) => fits(body, document));
      if (fitting) return fitting.outcome;
    }
    return plain[status] ?? unexpected;
  };
}

function lookOf({ json, text }: OutcomeRule): Look['fits'] | null {
  if (json !== null) {
    const names = json.path.split('.');
    return (_body, document) => valueAt(document(), names) === json.equals;
  }
  if (text === undefined) return null;
  const pattern = new RegExp(text, 'iu');
  return (body) => pattern.test(body);
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
