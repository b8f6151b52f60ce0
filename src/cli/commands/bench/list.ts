import type { Scenario } from '../../../bench/scenario/scenario.ts';
import { table } from '../../../lib/text/table.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { withTableFlags } from '../../output/table-flags.ts';
import { exampleScenario, loadScenario, shippedScenarios } from './scenarios.ts';

/** `bench list`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  withTableFlags(command.command('list'))
    .summary('show the scenarios that come with the program')
    .description('Show the scenarios that come with the program.')
    .addHelpText('after', '\nExamples:\n  coupon-cli bench list\n  coupon-cli bench list --json')
    .action(async (_options, self) => {
      await cli.run(self, list);
    });
};

async function list(context: Context): Promise<void> {
  const scenarios: Scenario[] = [];
  for (const name of await shippedScenarios(context.env)) scenarios.push(await loadScenario(context.env, name));
  context.out.note(`For a third-party service, copy ${exampleScenario(context.env)}`);
  const rows = scenarios.map(({ name, description, users, coupons }) => ({
    name,
    description,
    users: users.count,
    coupons: coupons.reduce((sum, coupon) => sum + coupon.total, 0),
  }));
  context.out.data({ scenarios: rows }, (paint) =>
    table(
      rows,
      [
        { head: 'SCENARIO', value: (row) => row.name },
        { head: 'COUPONS', value: (row) => row.coupons, align: 'right', rank: 2 },
        { head: 'USERS', value: (row) => row.users, align: 'right', rank: 1 },
        { head: 'WHAT', value: (row) => row.description, narrow: 'wrap' },
      ],
      paint,
    ),
  );
}
