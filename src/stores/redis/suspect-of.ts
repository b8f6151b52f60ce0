import { FIRM_STATES } from '../../campaign/sale-state.ts';

/** Written by scripts alone, as whole numbers. */
const NUMBERS = ['total', 'returned', 'given_back', 'version', 'fence', 'acked'] as const;

/**
 * Why the coupon of a hash is out of service; empty: it is not. Besides the mark that scripts leave, an unknown state that another program
 * wrote is a reason. A hash without an epoch was rewritten by the service that shares it, and is checked elsewhere.
 */
export function suspectOf(hash: Readonly<Record<string, string>>): string {
  const mark = hash['suspect'] ?? '';
  if (mark !== '' || !hash['epoch']) return mark;
  return (FIRM_STATES as readonly string[]).includes(hash['state'] ?? '') ? '' : 'state';
}

/** Number fields of the hash that another program wrote and that are no whole numbers. */
export function unreadableNumbers(hash: Readonly<Record<string, string>>): string[] {
  return NUMBERS.filter((field) => !/^-?\d+$/.test(hash[field] ?? '0'));
}
