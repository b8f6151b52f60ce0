import { untestedByPlan } from '../../../bench/checks/exercise.ts';
import { planRequests } from '../../../bench/plan/user-plan.ts';
import { untestedWords } from '../../../bench/report/verdict-text.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import { actionsOf } from '../../../bench/scenario/steps.ts';
import { plural } from '../../../lib/text/figures.ts';
import type { Paint } from '../../../lib/text/style.ts';
import { printable } from '../../../lib/text/visible.ts';
import type { Configure } from '../../command.ts';
import { loadScenario, trustOf } from './scenarios.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench check my-sale.yaml
  coupon-cli bench check scenarios/*.yaml --json

Nothing is sent. Exit code 2 for a scenario with a mistake, which is shown with its line.`;

/** `bench check`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  command
    .command('check')
    .summary('check scenarios, without any traffic')
    .description('Read scenarios with all files that they name, and say what a run of each can prove.')
    .argument('<scenario...>', 'a YAML file, or the name of a scenario that comes with the program')
    .addHelpText('after', EXAMPLES)
    .action(async (names, _flags, self) => {
      await cli.run(self, async (context) => {
        const checked: Checked[] = [];
        for (const name of names) {
          const scenario = await loadScenario(context.env, name);
          await trustOf(scenario, false);
          checked.push(checkedScenario(scenario));
        }
        context.out.data({ scenarios: checked }, (paint) => checked.map((one) => checkedText(one, paint)).join('\n'));
      });
    });
};

interface Checked {
  name: string;
  users: number;
  /** Planned; phases that end by their time may make fewer. */
  requests: number;
  coupons: { couponId: string; total: number }[];
  /** What a run cannot prove, because nothing of it could fail. */
  untested: { check: string; couponId: string; reason: string | null }[];
  why: string[];
  /** What its steps do beside requests. */
  actions: string[];
}

function checkedScenario(scenario: Scenario): Checked {
  const { name, users, coupons, series, phases, skip, perUser } = scenario;
  const plan = planRequests(users, coupons.length, Math.max(...phases.map((phase) => phase.vus)), series);
  const untested = untestedByPlan(plan, coupons, perUser).filter(({ check }) => !skip.includes(check));
  return {
    name,
    users: users.count,
    requests: plan.length,
    coupons: coupons.map(({ id, total }) => ({ couponId: id, total })),
    untested: untested.map(({ check, couponId, reason }) => ({ check, couponId, reason })),
    why: untestedWords(untested, { skip, perUser }),
    actions: actionsOf(scenario).map((action) =>
      'sql' in action ? 'changes the database of DATABASE_URL' : `runs ${printable(action.command[0]!, 60)}`,
    ),
  };
}

function checkedText({ name, users, requests, coupons, why, actions }: Checked, paint: Paint): string {
  const total = coupons.reduce((sum, coupon) => sum + coupon.total, 0);
  const of = coupons.length === 1 ? '' : ` of ${coupons.length} kinds`;
  const plan = `${plural(users, 'user')}, ${plural(requests, 'request')}, ${plural(total, 'coupon')}${of}`;
  const proves = why.length === 0 ? 'a run can be proven' : ['a run can only be held:', ...why.map((one) => `  ${one}`)].join('\n  ');
  const does = [...new Set(actions)].map((one) => `\n  a step ${one}`).join('');
  return `${paint.green('✔')} ${paint.bold(name)}: ${plan}\n  ${proves}${does}`;
}
