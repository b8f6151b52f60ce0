import { FIRM_STATES } from '../../campaign/sale-state.ts';

/** Written by scripts alone, as whole numbers. */
const NUMBERS = ['total', 'returned', 'given_back', 'version', 'fence', 'acked'] as const;

/**
 * Why the coupon of a hash is out of service, empty: it is not. Beside the mark that scripts leave, a state that another program has
 * written and nobody can read says so. A hash without an epoch was written anew by the service that shares it, and is looked at elsewhere.
 */
export function suspectOf(hash: Readonly<Record<string, string>>): string {
  const mark = hash['suspect'] ?? '';
  if (mark !== '' || !hash['epoch']) return mark;
  return (FIRM_STATES as readonly string[]).includes(hash['state'] ?? '') ? '' : 'state';
}

/** Numbers of the hash that another program has written and nobody can read. */
export function unreadableNumbers(hash: Readonly<Record<string, string>>): string[] {
  return NUMBERS.filter((field) => !/^-?\d+$/.test(hash[field] ?? '0'));
}
