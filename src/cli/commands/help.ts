import type { Configure } from './index.ts';

export const configure: Configure = (command, cli) => {
  command
    .argument('[command...]', 'the command, such as "seed" or "inspect queue"')
    .addHelpText('after', '\nExamples:\n  coupon-cli help seed\n  coupon-cli help inspect queue')
    .action(async (path) => {
      await cli.dispatch([...path, '--help']);
    });
};
