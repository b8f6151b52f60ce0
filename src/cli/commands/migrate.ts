import type { Configure } from '../command.ts';

export const configure: Configure = (command, cli) => {
  command
    .option('-n, --dry-run', 'show what would be applied, change nothing')
    .option('--show-sql', 'print the SQL of what is missing; with --dry-run nothing is changed')
    .addHelpText(
      'after',
      '\nExamples:\n  coupon-cli migrate\n  coupon-cli migrate --dry-run --show-sql\n  DATABASE_URL=postgres://… coupon-cli migrate --json',
    )
    .action(async (options, self) => {
      await cli.run(self, async (context) => {
        const { migrate, pendingMigrations } = await import('../../stores/postgres/migrate.ts');
        const database = await context.database();
        const pending = await pendingMigrations(database);
        const applied = options.dryRun ? [] : await migrate(database);
        // Not one that was brought up to date: its coupons are there.
        const isNew = applied[0]?.version === 1;
        const names = (list: { name: string }[]): string[] => list.map((migration) => migration.name);
        const shown = options.showSql ? pending.map(({ name, sql }) => ({ name, sql })) : undefined;
        const left = options.dryRun ? names(pending) : [];
        const text = (): string => {
          const sql = shown?.map((migration) => `-- ${migration.name}\n${migration.sql}`).join('\n') ?? '';
          if (options.dryRun) return sql + (left.length > 0 ? `would apply: ${left.join(', ')}` : 'the schema is up to date');
          if (applied.length === 0) return `${sql}the schema is up to date`;
          return [`${sql}applied: ${names(applied).join(', ')}`, ...(isNew ? ['Next: coupon-cli seed ID --name NAME --stock N'] : [])].join(
            '\n',
          );
        };
        const isAsked = options.dryRun === true || options.showSql === true;
        context.out.done({ applied: names(applied), pending: left, ...(shown ? { sql: shown } : {}) }, text, isAsked);
      });
    });
};
