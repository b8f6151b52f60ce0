import { table } from '../../lib/table.ts';
import { SETTINGS, redisUrlWithoutSecrets, withoutSecrets, type SettingName } from '../settings.ts';
import type { Configure } from '../command.ts';

export const configure: Configure = (command, cli) => {
  command
    .command('show')
    .summary('print each value and where it came from')
    .description('Print each setting, its value and where it came from. Passwords are never shown.')
    .addHelpText(
      'after',
      '\nExamples:\n  coupon-cli config show\n  coupon-cli config show --json\n  coupon-cli --config prod.env config show',
    )
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
          const { value, source, from } = context.settings.get(name);
          const shown = name === 'redisUrl' ? redisUrlWithoutSecrets(value) : name === 'databaseUrl' ? withoutSecrets(value) : value;
          return { name, value: shown, source, from: from ?? null };
        });
        context.out.data({ settings: rows }, (paint) =>
          table(
            rows,
            [
              { head: 'SETTING', value: (row) => row.name },
              { head: 'VALUE', value: (row) => row.value },
              { head: 'SOURCE', value: (row) => row.source },
              { head: 'FROM', value: (row) => row.from ?? '–' },
            ],
            paint,
          ),
        );
      });
    });
  command.addHelpText('after', '\nExamples:\n  coupon-cli config show');
};
