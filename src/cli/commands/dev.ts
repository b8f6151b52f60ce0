import { Option } from '@commander-js/extra-typings';
import { withTableFlags } from '../output/table-flags.ts';
import { defaultStackDir, stackDown, stackStatus, stackUp } from '../../stack/stack.ts';
import { allStacks, isInUse, type NamedStack } from '../../stack/all-stacks.ts';
import { KEEP } from '../../stack/keeper.ts';
import { usageError } from '../../lib/errors.ts';
import { parseDatabaseUrl } from '../../stores/postgres/connection/url.ts';
import { parseRedisUrl } from '../../stores/redis/connection/url.ts';
import { table } from '../../lib/text/table.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli dev up
  eval "$(coupon-cli dev env)"        REDIS_URL and DATABASE_URL for this shell
  coupon-cli dev status
  coupon-cli dev down
  coupon-cli dev down --all           also the stores of demo and bench
  coupon-cli dev down --purge --confirm`;

/** The stack of one checkout or installation; demo, bench and the tests have others. */
function stackDir(context: Context): string {
  return defaultStackDir(context.env, context.env.packageDir);
}

/** @throws CouponError `DEV_USAGE`, `STACK_UNKNOWN` */
function chosenStacks(context: Context, { stack, all }: { stack?: string | undefined; all?: true | undefined }): NamedStack[] {
  const there = allStacks(context.env, context.env.packageDir);
  if (stack !== undefined && all) throw usageError('DEV_USAGE', '--stack and --all exclude each other', 'Leave one of them out.');
  if (all) return there.filter(({ name }) => !isInUse(context.env, name));
  const chosen = there.find(({ name }) => name === (stack ?? 'dev'));
  if (chosen) return [chosen];
  const names = there.map(({ name }) => name).join(', ');
  throw usageError('STACK_UNKNOWN', `there is no stack of that name`, `There are: ${names}.`);
}

const SHELLS = ['sh', 'fish', 'powershell', 'dotenv'] as const;
/** The URLs hold no quotes. */
const SET: Record<(typeof SHELLS)[number], (name: string, value: string) => string> = {
  sh: (name, value) => `export ${name}='${value}'`,
  fish: (name, value) => `set -gx ${name} '${value}'`,
  powershell: (name, value) => `$env:${name} = '${value}'`,
  dotenv: (name, value) => `${name}=${value}`,
};

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
        // `dev env` prints the passwords.
        const { dir } = stack;
        const redisUrl = parseRedisUrl(stack.redisUrl).shown;
        const databaseUrl = parseDatabaseUrl(stack.databaseUrl).shown;
        context.out.done({ dir, redisUrl, databaseUrl }, (paint) =>
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
    .option('--stack <name>', 'the stores of another command: demo or bench')
    .option('--all', 'every stack of this checkout or installation; those of running tests are left alone')
    .option('--purge', 'also remove the data; needs --confirm')
    .option('--confirm', 'remove the data')
    .addHelpText(
      'after',
      '\nExamples:\n  coupon-cli dev down\n  coupon-cli dev down --stack demo\n  coupon-cli dev down --all\n  coupon-cli dev down --purge --confirm',
    )
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        if (flags.purge && !flags.confirm) {
          throw usageError('CONFIRM_NEEDED', '--purge removes all data of this stack', 'If that is what you want, add --confirm.');
        }
        const stacks = chosenStacks(context, flags);
        const results: { stack: string; stopped: string[]; purged: boolean }[] = [];
        for (const { name, dir } of stacks) {
          results.push({ stack: name, ...(await stackDown(context.env, { dir, purge: flags.purge === true })) });
        }
        const [first] = results;
        context.out.done(results.length === 1 ? first : { stacks: results }, () =>
          results
            .flatMap(({ stack, stopped, purged }) => [
              `${results.length > 1 ? `${stack}: ` : ''}${stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : 'nothing was running'}`,
              ...(purged ? ['the data is removed'] : []),
            ])
            .join('\n'),
        );
      });
    });

  command
    .command('env')
    .summary('print export lines for the shell')
    .description('Print `export` lines that point every other command at this stack.')
    .option('--stack <name>', 'the stores of another command: demo or bench, with --keep')
    .addOption(new Option('--shell <shell>', 'for which the lines are meant').choices(SHELLS).default('sh' as const))
    .addHelpText(
      'after',
      '\nExamples:\n  eval "$(coupon-cli dev env)"\n  eval "$(coupon-cli dev env --stack demo)"\n  coupon-cli dev env --shell fish | source\n  coupon-cli dev env --shell powershell | Out-String | Invoke-Expression\n  coupon-cli dev env --shell dotenv > .env',
    )
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const { redis, postgres } = await stackStatus(context.env, chosenStacks(context, flags)[0]!);
        if (!redis.running || !postgres.running || !redis.url || !postgres.url) {
          throw usageError('STACK_DOWN', 'the stack is not running', 'Start it: coupon-cli dev up');
        }
        const vars = { REDIS_URL: redis.url, DATABASE_URL: postgres.url };
        context.out.secretData(vars, () =>
          Object.entries(vars)
            .map(([name, value]) => SET[flags.shell](name, value))
            .join('\n'),
        );
      });
    });

  withTableFlags(command.command('status'))
    .summary('show whether both stores run')
    .description(
      'Show whether both stores run, where, and which route they came by; with those of demo, bench and the tests. Exit code 3 when one of dev does not run.',
    )
    .addHelpText('after', '\nExamples:\n  coupon-cli dev status\n  coupon-cli dev status --json')
    .action(async (_options, self) => {
      await cli.run(self, async (context) => {
        const all = [];
        for (const { name, dir } of allStacks(context.env, context.env.packageDir)) {
          const { redis, postgres } = await stackStatus(context.env, { dir });
          all.push({
            name,
            dir,
            redis: { ...redis, url: redis.url && parseRedisUrl(redis.url).shown },
            postgres: { ...postgres, url: postgres.url && parseDatabaseUrl(postgres.url).shown },
          });
        }
        const [status, ...others] = all as [(typeof all)[number], ...typeof all];
        const shown = [status, ...others.filter(({ redis, postgres }) => redis.running || postgres.running)];
        const rows = shown.flatMap(({ name, redis, postgres }) => [
          { stack: name, name: 'Redis', ...redis },
          { stack: name, name: 'PostgreSQL', ...postgres },
        ]);
        const { dir, redis, postgres } = status;
        context.out.data({ dir, redis, postgres, others }, (paint) =>
          table(
            rows,
            [
              ...(shown.length > 1 ? [{ head: 'STACK', value: (row: (typeof rows)[number]) => row.stack }] : []),
              { head: 'STORE', value: (row) => row.name },
              { head: 'STATE', value: (row) => (row.running ? 'running' : 'not running') },
              { head: 'URL', value: (row) => row.url, narrow: 'wrap' },
              { head: 'PID', value: (row) => (row.pid === null ? null : String(row.pid)), align: 'right', rank: 3 },
              { head: 'VERSION', value: (row) => row.version, rank: 2 },
              { head: 'FROM', value: (row) => row.how, narrow: 'wrap', rank: 1 },
            ],
            paint,
          ),
        );
        return status.redis.running && status.postgres.running ? EXIT.ok : EXIT.unreachable;
      });
    });

  command
    .command(KEEP, { hidden: true })
    .description('Wait for the end of the command that started this one, and stop the stack that it has left running.')
    .argument('<dir>', 'folder of the stack')
    .addHelpText('after', `\nExamples:\n  coupon-cli dev ${KEEP} /var/tmp/coupon-cli-1000-0123abcd-bench`)
    .action(async (dir, _options, self) => {
      await cli.run(self, async (context) => {
        const { stopWithParent } = await import('../../stack/keeper.ts');
        await stopWithParent(context.env, dir, context.env.stdin, () => undefined);
      });
    });
};
