import { outcomeCode } from '../core/integrity.ts';
import type { OutcomeRule } from '../core/scenario.ts';

/** The outcome (as a code) of a reply. */
export type Classifier = (status: number, body: string) => number;

/** Rules in order, the first that fits; a reply that none explains is unexpected. The body is only read where a rule asks for its code. */
export function classifier(rules: readonly OutcomeRule[]): Classifier {
  const unexpected = outcomeCode('unexpected');
  const plain = new Uint8Array(1_000).fill(unexpected);
  const coded = new Map<number, { code: string; outcome: number }[]>();
  for (const rule of rules.toReversed()) {
    const outcome = outcomeCode(rule.outcome);
    if (rule.code === null) plain[rule.status] = outcome;
    else coded.set(rule.status, [{ code: rule.code, outcome }, ...(coded.get(rule.status) ?? [])]);
  }
  return (status, body) => {
    const byCode = coded.size > 0 ? coded.get(status) : undefined;
    const code = byCode && problemCode(body);
    return byCode?.find((rule) => rule.code === code)?.outcome ?? plain[status] ?? unexpected;
  };
}

function problemCode(body: string): string | null {
  try {
    const document: unknown = JSON.parse(body);
    const code = typeof document === 'object' && document !== null && 'code' in document ? document.code : null;
    return typeof code === 'string' ? code : null;
  } catch {
    return null;
  }
}
