import type { RunAction } from '../../../bench/steps/step-client.ts';
import { actionsOf, type Action } from '../../../bench/scenario/steps.ts';
import { CouponError, usageError, isOutage } from '../../../lib/errors.ts';
import { lastLines, run } from '../../../lib/process/processes.ts';
import { printable } from '../../../lib/text/visible.ts';
import type { Database } from '../../../stores/postgres/connection/database.ts';
import type { Context } from '../../context.ts';
import { requireAllowedStore } from '../../targets.ts';
import type { LoadedScenario } from './scenarios.ts';

export interface ActionFlags {
  allowTarget: string[];
  runCommands?: true | undefined;
}

/**
 * What carries out the steps of a scenario that are no requests, once it is known that they may be.
 *
 * @throws CouponError `COMMANDS_NOT_ALLOWED`, and for a database on another host
 */
export function actionsFor(
  context: Context,
  scenario: LoadedScenario,
  { allowTarget, runCommands }: ActionFlags,
  command: string,
): RunAction | undefined {
  const actions = actionsOf(scenario);
  if (actions.length === 0) return undefined;
  const program = actions.find((action) => 'command' in action);
  if (program && !runCommands)
    throw usageError(
      'COMMANDS_NOT_ALLOWED',
      `scenario "${scenario.name}" runs ${printable(program.command[0]!, 80)} on this machine; nothing was done`,
      'Read its steps, then add --run-commands.',
    );
  if (actions.some((action) => 'sql' in action)) requireAllowedStore(context, 'databaseUrl', allowTarget, command);
  let database: Promise<Database> | null = null;
  return async (step, action) => {
    const why =
      'sql' in action
        ? await runStatements(await (database ??= context.database()), action)
        : await runProgram(context, scenario.folder, action);
    if (why !== null) throw failedStep(step, why);
  };
}

async function runStatements(database: Database, { sql, timeoutMs }: Extract<Action, { sql: string }>): Promise<string | null> {
  try {
    await database.transaction((client) => client.query(sql), { timeoutMs });
    return null;
  } catch (error) {
    const told = database.explain(error);
    if (isOutage(told)) throw told;
    return (told instanceof CouponError && told.why) || told.message;
  }
}

async function runProgram(
  { env }: Context,
  cwd: string,
  { command: [program, ...args], timeoutMs }: Extract<Action, { command: readonly string[] }>,
): Promise<string | null> {
  const { code, stdout, stderr } = await run(program!, args, { env: { ...env.vars }, timeoutMs, cwd });
  if (code === 0) return null;
  const said = lastLines(stderr) || lastLines(stdout);
  return `${code === null ? `it did not end by itself within ${timeoutMs} ms, or could not be started` : `it ended with ${code}`}${said === '' ? '' : `: ${said}`}`;
}

function failedStep(step: string, why: string): CouponError {
  return new CouponError({
    code: 'STEP_FAILED',
    kind: 'unreachable',
    message: `${step} failed; no load was sent`,
    why,
    fix: 'Correct the step; `coupon-cli bench try` runs all of them once.',
  });
}
