import { Help, type Command, type Option } from 'commander';
import type { Paint } from '../lib/text/style.ts';

/** The subcommand that stands for its parent, as `run` does for `bench SCENARIO`. */
export function defaultCommand(command: Command): Command | undefined {
  const { _defaultCommandName: name } = command as unknown as { _defaultCommandName?: string | null };
  return command.commands.find((one) => one.name() === name);
}

/** How help differs from commander's own. */
export const HELP_FORMAT = {
  /** Options of the default subcommand work on its parent, and those of `inspect` on `inspect queue`, so they are shown there. */
  visibleOptions(this: Help, command: Command): Option[] {
    const { parent } = command;
    // Those of the program itself are shown once.
    const shared = [defaultCommand(command), parent?.parent ? parent : undefined].flatMap((one) => one?.options ?? []);
    return [...shared.filter(({ hidden }) => !hidden), ...Help.prototype.visibleOptions.call(this, command)];
  },
  /** A list that is empty unless given has no default worth a word, and a text needs no quotes. */
  optionDescription(this: Help, option: Option): string {
    return Help.prototype.optionDescription
      .call(this, option)
      .replace(/ \(default: \[\]\)/, '')
      .replace(/default: "([^"]*)"\)/, 'default: $1)');
  },
};

const HEADING = /^(?:[A-Z][a-z]+(?: [a-z]+){0,3}:(?=$)|Usage:|Exit codes:)/;
/** What an explanation is about: an option, an argument or a command. */
const TERM = /^( {2})(\S+(?: \S+)*)(?=$| {2,}\S)/;

/** Headings are bold, and what may be typed has a colour. Examples stay as they are, to be copied. */
export function paintHelp(text: string, paint: Paint): string {
  let isExample = false;
  return text
    .split('\n')
    .map((line) => {
      const heading = HEADING.exec(line)?.[0];
      if (heading !== undefined) {
        isExample = heading === 'Examples:' || heading === 'Exit codes:';
        return paint.bold(heading) + line.slice(heading.length);
      }
      return isExample ? line : line.replace(TERM, (_, indent: string, term: string) => indent + paint.cyan(term));
    })
    .join('\n');
}
