import { Help, type Command, type Option } from 'commander';

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
      .replace(/\(default: "(.*)"\)/, '(default: $1)');
  },
};
