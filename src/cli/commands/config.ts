import { table } from '../../lib/text/table.ts';
import { CouponError } from '../../lib/errors.ts';
import { parseDatabaseUrl } from '../../stores/postgres/connection/url.ts';
import { parseRedisUrl } from '../../stores/redis/connection/url.ts';
import { IN_PARTS, SETTINGS, type SettingName, type Settings } from '../settings.ts';
import type { Configure } from '../command.ts';
import { withTableFlags } from '../output/table-flags.ts';

export const configure: Configure = (command, cli) => {
  withTableFlags(command.command('show'))
    .summary('print each value and where it came from')
    .description('Print each setting, its value and where it came from. Passwords are never shown.')
    .addHelpText(
      'after',
      '\nExamples:\n  coupon-cli config show\n  coupon-cli config show --json\n  coupon-cli --config prod.env config show',
    )
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
          const { source, from } = context.settings.get(name);
          return { name, ...shown(context.settings, name), source, from: from ?? null };
        });
        context.out.data({ settings: rows }, (paint) =>
          table(
            rows,
            [
              { head: 'SETTING', value: (row) => row.name },
              { head: 'VALUE', value: (row) => row.value, narrow: 'wrap' },
              {
                head: 'SOURCE',
                narrow: 'wrap',
                value: (row) => [row.from === null ? row.source : `${row.source} (${row.from})`, ...(row.filledInBy ?? [])].join(', '),
              },
            ],
            paint,
          ),
        );
      });
    });
  command.addHelpText('after', '\nExamples:\n  coupon-cli config show');
};

interface Shown {
  value: string;
  /** Variables that fill in what the URL does not say. */
  filledInBy?: readonly string[];
}

/** A URL without its password, as it is understood; of one that cannot be used, nothing but why. */
function shown(settings: Settings, name: SettingName): Shown {
  const { value } = settings.get(name);
  try {
    if (name === 'redisUrl') return { value: parseRedisUrl(value).shown };
    if (name !== 'databaseUrl') return { value };
    const target = parseDatabaseUrl(value, settings.variables);
    const inParts = value === IN_PARTS || target.filledIn.length === 0;
    return { value: target.shown, ...(inParts ? {} : { filledInBy: target.filledIn }) };
  } catch (error) {
    if (error instanceof CouponError) return { value: `(${error.message})` };
    throw error;
  }
}
