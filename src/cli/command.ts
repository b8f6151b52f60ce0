import type { Command as PlainCommand } from 'commander';
import type { Command } from '@commander-js/extra-typings';
import type { Context } from './context.ts';
import type { MaskedEnv } from './masked-env.ts';

/** What command modules get: the world, and a way to run with a context and an exit code. */
export interface Cli {
  env: MaskedEnv;
  /** Wraps the body of a command: opens a context from its flags, closes it, and keeps the exit code. */
  run(command: { optsWithGlobals(): object }, body: (context: Context) => Promise<number | void>): Promise<void>;
  /** Runs another command line in the same process, for `help`. */
  dispatch(argv: readonly string[]): Promise<void>;
  /** All commands as commander knows them; the one that some words name with its options and subcommands, too. Nothing is run. */
  tree(words: readonly string[]): Promise<PlainCommand>;
  /** Names of all commands, for suggestions. */
  commandNames(): readonly string[];
}

/** How a command module adds its arguments, options, examples and action to an empty command. */
export type Configure = (command: Command, cli: Cli) => void;
