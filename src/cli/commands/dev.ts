import { defaultStackDir, stackDown, stackStatus, stackUp } from '../../stack/stack.ts';
import { usageError } from '../../lib/errors.ts';
import { parseDatabaseUrl } from '../../stores/postgres/url.ts';
import { parseRedisUrl } from '../../stores/redis/url.ts';
import { table } from '../../lib/table.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli dev up
  eval "$(coupon-cli dev env)"        REDIS_URL and DATABASE_URL for this shell
  coupon-cli dev status
  coupon-cli dev down
  coupon-cli dev down --purge --confirm`;

/** The stack of one checkout or installation; demo, bench and the tests have others. */
function stackDir(context: Context): string {
  return defaultStackDir(context.env, context.env.packageDir);
}

export const configure: Configure = (command, cli) => {
  command.addHelpText('after', EXAMPLES);

  command
    .command('up')
    .summary('start both stores, or adopt the ones that run')
    .description('Start a real Redis and a real PostgreSQL on loopback, or adopt the ones that run. Nothing is installed on this system.')
    .addHelpText('after', '\nExamples:\n  coupon-cli dev up\n  coupon-cli dev up --json')
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const stack = await stackUp(context.env, { dir: stackDir(context), log: (line) => context.out.note(line) });
        // Whoever needs the passwords asks for them: `dev env`.
        const { dir } = stack;
        const redisUrl = parseRedisUrl(stack.redisUrl).shown;
        const databaseUrl = parseDatabaseUrl(stack.databaseUrl).shown;
        context.out.data({ dir, redisUrl, databaseUrl }, (paint) =>
          [
            `${paint.green('✔')} Redis       ${redisUrl}`,
            `${paint.green('✔')} PostgreSQL  ${databaseUrl}`,
            `Next: eval "$(coupon-cli dev env)" && coupon-cli migrate`,
          ].join('\n'),
        );
      });
    });

  command
    .command('down')
    .summary('stop both stores')
    .description('Stop both stores. The data stays, unless --purge --confirm removes it.')
    .option('--purge', 'also remove the data; needs --confirm')
    .option('--confirm', 'really')
    .addHelpText('after', '\nExamples:\n  coupon-cli dev down\n  coupon-cli dev down --purge --confirm')
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        if (flags.purge && !flags.confirm) {
          throw usageError('CONFIRM_NEEDED', '--purge removes all data of this stack', 'If that is what you want, add --confirm.');
        }
        const result = await stackDown(context.env, { dir: stackDir(context), purge: flags.purge === true });
        context.out.data(result, () =>
          [
            result.stopped.length > 0 ? `stopped: ${result.stopped.join(', ')}` : 'nothing was running',
            ...(result.purged ? ['the data is removed'] : []),
          ].join('\n'),
        );
      });
    });

  command
    .command('env')
    .summary('print export lines for the shell')
    .description('Print `export` lines that point every other command at this stack.')
    .addHelpText('after', '\nExamples:\n  eval "$(coupon-cli dev env)"')
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const { redis, postgres } = await stackStatus(context.env, { dir: stackDir(context) });
        if (!redis.running || !postgres.running || !redis.url || !postgres.url) {
          throw usageError('STACK_DOWN', 'the stack is not running', 'Start it: coupon-cli dev up');
        }
        const vars = { REDIS_URL: redis.url, DATABASE_URL: postgres.url };
        context.out.secretData(vars, () =>
          Object.entries(vars)
            .map(([name, value]) => `export ${name}='${value}'`)
            .join('\n'),
        );
      });
    });

  command
    .command('status')
    .summary('show whether both stores run')
    .description('Show whether both stores run, where, and which route they came by. Exit code 3 when one does not run.')
    .addHelpText('after', '\nExamples:\n  coupon-cli dev status\n  coupon-cli dev status --json')
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const status = await stackStatus(context.env, { dir: stackDir(context) });
        const redis = { ...status.redis, url: status.redis.url && parseRedisUrl(status.redis.url).shown };
        const postgres = { ...status.postgres, url: status.postgres.url && parseDatabaseUrl(status.postgres.url).shown };
        const rows = [
          { name: 'Redis', ...redis },
          { name: 'PostgreSQL', ...postgres },
        ];
        context.out.data({ dir: status.dir, redis, postgres }, (paint) =>
          table(
            rows,
            [
              { head: 'STORE', value: (row) => row.name },
              { head: 'STATE', value: (row) => (row.running ? 'running' : 'not running') },
              { head: 'URL', value: (row) => row.url },
              { head: 'PID', value: (row) => row.pid, align: 'right' },
              { head: 'VERSION', value: (row) => row.version },
              { head: 'FROM', value: (row) => row.how },
            ],
            paint,
          ),
        );
        return status.redis.running && status.postgres.running ? EXIT.ok : EXIT.unreachable;
      });
    });
};
