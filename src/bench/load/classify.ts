import { outcomeCode } from '../checks/integrity.ts';
import type { OutcomeRule } from '../scenario/outcomes.ts';
import { headerOf } from '../report/unexplained.ts';
import { parseJson, valueAt } from './capture.ts';

/** The outcome (as a code) of a reply; headers are names and values in turn. */
export type Classifier = (status: number, body: string, headers?: readonly string[]) => number;

/** What a rule looks for in a reply with its status. */
interface Look {
  outcome: number;
  fits: (body: string, document: () => unknown, headers: readonly string[]) => boolean;
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
  return (status, body, headers = []) => {
    const some = looks.size > 0 ? looks.get(status) : undefined;
    if (some) {
      let parsed: { document: unknown } | null = null;
      const document = (): unknown => (parsed ??= { document: parseJson(body) }).document;
      const fitting = some.find(({ fits }) => fits(body, document, headers));
      if (fitting) return fitting.outcome;
    }
    return plain[status] ?? unexpected;
  };
}

function lookOf({ json, text, header }: OutcomeRule): Look['fits'] | null {
  if (json !== null) {
    const names = json.path.split('.');
    return (_body, document) => valueAt(document(), names) === json.equals;
  }
  if (header !== undefined) {
    const { name } = header;
    const matches = new RegExp(header.matches, 'iu');
    return (_body, _document, headers) => {
      const value = headerOf(headers, name.toLowerCase());
      return value !== null && matches.test(value);
    };
  }
  if (text === undefined) return null;
  const pattern = new RegExp(text, 'iu');
  return (body) => pattern.test(body);
}
