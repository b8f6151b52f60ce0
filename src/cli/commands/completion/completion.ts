import { Argument } from '@commander-js/extra-typings';
import { withTimeout } from '../../../lib/with-timeout.ts';
import type { Cli, Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { STATES } from '../../output/states.ts';
import { shippedScenarios } from '../bench/scenarios.ts';
import { placeOf, type Candidate } from './candidates.ts';
import { SCRIPTS, SHELLS } from './scripts.ts';

const EXAMPLES = `
Examples:
  eval "$(coupon-cli completion bash)"          in ~/.bashrc
  source <(coupon-cli completion zsh)           in ~/.zshrc
  coupon-cli completion fish | source           in ~/.config/fish/config.fish

Commands, options, coupon ids and names of scenarios are completed. Ids are read from the ledger of the settings, at most 100 of them and for at
most a second; without it there are none.`;

/** Nobody reads more, and a shell waits for them. */
const MOST_IDS = 100;
const PATIENCE_MS = 1_000;
const FILES = new Set(['file', 'path', 'dir', 'folder', 'before', 'after', 'record', 'report', 'scenario']);

export const configure: Configure = (command, cli) => {
  command.usage('<shell>').addHelpText('after', EXAMPLES);
  for (const shell of SHELLS) {
    command
      .command(shell)
      .summary(`print the script for ${shell}`)
      .description(`Print the script that completes commands in ${shell}.`)
      .addHelpText('after', EXAMPLES)
      .action(() => void cli.env.stdout.write(SCRIPTS[shell]));
  }
  command
    .command('words', { hidden: true })
    .description('Print what may stand at the cursor, for the scripts: a word, a tab and what it is; `:files` for files.')
    .addArgument(new Argument('[words...]', 'the words after the program’s name, up to the cursor'))
    .addHelpText('after', '\nExamples:\n  coupon-cli completion words -- inspect coupon su')
    .action(async (words) => {
      try {
        await complete(cli, words);
      } catch {
        // A shell that completes says nothing about what went wrong.
      }
    });
};

async function complete(cli: Cli, words: readonly string[]): Promise<void> {
  const place = placeOf(await cli.tree(words), words);
  const { prefix, before, placeholder, candidates } = place;
  const print = (found: readonly Candidate[]): void => {
    for (const { value, about } of found)
      if (value.startsWith(prefix)) cli.env.stdout.write(`${before}${value}\t${about.replaceAll(/\s+/g, ' ')}\n`);
  };
  print(candidates);
  if (placeholder === 'command') print((await cli.tree([])).commands.map((one) => ({ value: one.name(), about: one.summary() })));
  if (placeholder === 'states') print(statesAfter(prefix));
  if (placeholder === 'scenario') print((await shippedScenarios(cli.env)).map((value) => ({ value, about: 'comes with the program' })));
  if (placeholder !== null && FILES.has(placeholder)) cli.env.stdout.write(':files\n');
  if (placeholder !== 'id') return;
  const flags = { ...place.globals, quiet: true };
  await cli.run({ optsWithGlobals: () => flags }, async (context) => {
    const found = await withTimeout(couponIds(context, prefix), PATIENCE_MS, null);
    print(found ?? []);
    // A database that does not answer would be waited for at the end, too.
    if (found === null) context.env.exitNow(0);
  });
}

/** A list is completed at its end. */
function statesAfter(prefix: string): Candidate[] {
  const written = prefix.slice(0, prefix.lastIndexOf(',') + 1);
  const taken = written.split(',');
  return STATES.filter((state) => !taken.includes(state)).map((state) => ({ value: `${written}${state}`, about: 'state of a coupon' }));
}

async function couponIds(context: Context, prefix: string): Promise<Candidate[]> {
  try {
    const { statement } = await import('../../../stores/postgres/statements.ts');
    const database = await context.database(undefined, { poolSize: 1, statementTimeoutMs: PATIENCE_MS });
    const rows = await database.query<{ id: string; name: string }>(statement('complete-ids', [prefix, MOST_IDS]));
    const { visible } = await import('../../../lib/text/visible.ts');
    return rows.map(({ id, name }) => ({ value: id, about: visible(name) }));
  } catch {
    return [];
  }
}
