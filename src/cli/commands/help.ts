import { usageError } from '../../lib/errors.ts';
import { commandSuggestion } from '../synonyms.ts';
import type { Configure } from '../command.ts';

export const configure: Configure = (command, cli) => {
  command
    .argument('[command...]', 'the command, such as "seed" or "inspect queue"')
    .addHelpText('after', '\nExamples:\n  coupon-cli help seed\n  coupon-cli help inspect queue')
    .action(async (path) => {
      const [name] = path;
      if (name !== undefined && !cli.commandNames().includes(name)) {
        throw usageError(
          'USAGE',
          `there is no command "${name}"${commandSuggestion(name, cli.commandNames())}`,
          '`coupon-cli --help` lists the commands.',
        );
      }
      await cli.dispatch([...path, '--help']);
    });
};
