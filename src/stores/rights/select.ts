import { usageError } from '../../lib/errors.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { COMMAND_USES, type CommandUse, type Use } from './commands.ts';

/** A command, or a command with options, and what it uses. */
export interface Selected {
  /** As it is typed: `audit --repair`. */
  name: string;
  uses: readonly Use[];
}

const ENTRIES: readonly (readonly [string, CommandUse])[] = Object.entries(COMMAND_USES);

/** Every command, and every command with one of the options that need more. */
export function allSelected(): Selected[] {
  return ENTRIES.flatMap(([name, use]) => variants(name, use));
}

/**
 * What was asked for: `drain` is the command and, where variants are wanted, also each of its options; `drain --scan` is just that; `dead` is all
 * of its subcommands.
 *
 * @throws CouponError `GRANTS_USAGE`
 */
export function select(text: string, withVariants: boolean): Selected[] {
  const words = text.trim().split(/\s+/);
  const written = words.join(' ');
  const exact = ENTRIES.filter(([name]) => name === written);
  const named = exact.length > 0 ? exact : ENTRIES.filter(([name]) => name.startsWith(`${written} `));
  if (named.length > 0) return named.flatMap((entry) => (withVariants ? variants(...entry) : [selected(...entry, [])]));
  const firstOption = words.findIndex((word) => word.startsWith('--'));
  const name = words.slice(0, firstOption < 0 ? undefined : firstOption).join(' ');
  const entry = ENTRIES.find(([known]) => known === name);
  if (!entry || firstOption < 0)
    throw unknown(
      text,
      ENTRIES.map(([known]) => known),
    );
  const options = words.slice(firstOption).filter((word) => word.startsWith('--'));
  return [selected(...entry, options)];
}

/** @throws CouponError `GRANTS_USAGE` */
function selected(name: string, use: CommandUse, options: readonly string[]): Selected {
  const known = use.options ?? {};
  const more = options.map((option) => {
    const found = known[option];
    if (!found)
      throw unknown(
        `${name} ${option}`,
        Object.keys(known).map((one) => `${name} ${one}`),
      );
    return found;
  });
  return { name: [name, ...options].join(' '), uses: [use, ...more] };
}

function variants(name: string, use: CommandUse): Selected[] {
  return [[], ...Object.keys(use.options ?? {}).map((option) => [option])].map((options) => selected(name, use, options));
}

function unknown(text: string, known: readonly string[]) {
  return usageError(
    'GRANTS_USAGE',
    `no grants are known for "${text}"${suggestion(text, [...known])}`,
    "Name a command, or a command with an option that needs more, in quotes: 'audit --repair'. `coupon-cli grants` prints all.",
  );
}
