import { Command as PlainCommand, CommanderError } from 'commander';
import type { Command } from '@commander-js/extra-typings';
import { CouponError } from '../lib/errors.ts';
import { failureJson, failureLog, failureText } from './failure.ts';
import type { SecretMask } from '../lib/secrets.ts';
import { painter } from '../lib/text/style.ts';
import { jsonText } from '../lib/text/terminal.ts';
import type { Cli } from './command.ts';
import { HELP_FORMAT, paintHelp } from './help-format.ts';
import { commandSuggestion, optionFor } from './synonyms.ts';
import { wrapHelp } from '../lib/text/wrap.ts';
import { COMMANDS } from './commands/index.ts';
import type { Context, GlobalFlags } from './context.ts';
import type { Env } from './env.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { maskedEnv, type MaskedEnv } from './masked-env.ts';
import { colours } from './output/output.ts';
import { packageVersion } from './version.ts';

const HELP_AFTER = `
Examples:
  coupon-cli demo                                      a whole flash sale in under a minute
  coupon-cli seed summer --name "여름맞이 쿠폰" --stock 1000
  coupon-cli drain --interval 2s
  coupon-cli audit

Exit codes: 0 ok, 1 failure, 2 usage or refused, 3 unreachable, 4 an invariant is broken, 5 could not verify,
  99 a threshold failed, 130/143 forced by a signal.`;

/** They would be longer than the help of most commands. */
const GLOBAL_OPTIONS = '\ncoupon-cli --help lists the options of every command, such as --redis-url and --json.';

/**
 * Runs one command line and returns its exit code. Nothing is thrown, and nothing outside of `env` is touched, so tests run
 * commands in process.
 */
export async function runCli(outside: Env, secrets?: SecretMask): Promise<number> {
  const env = maskedEnv(outside, secrets);
  let exitCode: number = EXIT.ok;
  const { run, dispatch } = { run: runBody, dispatch: parse };
  const cli: Cli = { env, run, dispatch, tree, commandNames: () => COMMANDS.map((entry) => entry.name) };

  async function runBody(command: { optsWithGlobals(): object }, body: (context: Context) => Promise<number | void>): Promise<void> {
    const contexts = await import('./context.ts');
    await using context = new contexts.Context(env, command.optsWithGlobals() as GlobalFlags & Record<string, unknown>);
    exitCode = (await body(context)) ?? EXIT.ok;
  }

  async function tree(words: readonly string[]): Promise<PlainCommand> {
    const { program, load } = createProgram(cli);
    for (const name of words) if (await load(name)) break;
    return program;
  }

  async function parse(argv: readonly string[]): Promise<void> {
    const { program } = createProgram(cli);
    try {
      await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
    } catch (error) {
      throw error instanceof CommanderError && error.exitCode !== 0 ? usageOf(error, argv, program) : error;
    }
  }

  try {
    await parse(env.argv);
    return exitCode;
  } catch (error) {
    return reportFailure(env, error);
  }
}

/** @returns the program, and how one of its commands gets its options and subcommands; false: there is none of that name */
function createProgram(cli: Cli): { program: PlainCommand; load: (name: string) => Promise<boolean> } {
  const { env } = cli;
  const program: PlainCommand = new PlainCommand('coupon-cli')
    .description('Set up, run, watch, prove and load-test first-come-first-served coupon campaigns on Redis and PostgreSQL.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureHelp(HELP_FORMAT)
    .option('--redis-url <url>', 'where Redis is (REDIS_URL); `ps` shows flags to others on this machine, variables not')
    .option('--database-url <url>', 'where PostgreSQL is (DATABASE_URL, or the PG* variables); see --redis-url')
    .option('--schema <name>', 'where the tables of the ledger are, in PostgreSQL (COUPON_SCHEMA)')
    .option('--key-style <style>', 'how keys are spelled: plain or hash-tag (COUPON_KEY_STYLE)')
    .option('--key-prefix <text>', 'before every key in Redis, such as staging: (COUPON_KEY_PREFIX)')
    .option('--redis-nat-map <map>', 'how the addresses that a Redis Cluster tells are reached from here (COUPON_REDIS_NAT_MAP)')
    .option('--config <file>', 'read settings from this file of KEY=value lines instead of .env')
    .option('--json', 'print one JSON document instead of text')
    .option('-q, --quiet', 'no notes and no confirmations; errors, warnings and data remain')
    .option('--no-color', 'no colour (NO_COLOR)')
    .option('--debug', 'show where an error happened')
    .addHelpText('after', HELP_AFTER)
    .addHelpText('afterAll', ({ command }) => (command === program ? '' : GLOBAL_OPTIONS));
  program.exitOverride().configureOutput({
    writeOut: (text) => void env.stdout.write(shownHelp(text, env)),
    // Usage errors are reported in one place, see reportFailure.
    writeErr: () => undefined,
    getOutHelpWidth: () => env.stdout.columns || 100,
    getOutHasColors: () => false,
  });
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(capitalized(entry.summary));
    command.helpGroup(entry.group).helpCommand(false);
  }
  const load = async (name: string): Promise<boolean> => {
    const [entry, command] = [COMMANDS.find((one) => one.name === name), program.commands.find((one) => one.name() === name)];
    // extra-typings is the same class with types that follow the options.
    if (entry && command) (await entry.load()).configure(command as unknown as Command, cli);
    return entry !== undefined;
  };
  program.hook('preSubcommand', async (parent, command) => {
    // Only first-level commands are loaded on use; the ones inside come with them.
    if (parent === program) await load(command.name());
  });
  return { program, load };
}

function shownHelp(text: string, env: MaskedEnv): string {
  const { stdout, argv } = env;
  const lines = stdout.columns > 0 ? wrapHelp(text, stdout.columns) : text;
  return paintHelp(lines, painter(colours(env, stdout, { color: !argv.includes('--no-color') })));
}

function capitalized(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** @param env whose streams let no secret through */
export function reportFailure(env: MaskedEnv, error: unknown): number {
  if (error instanceof CommanderError) {
    return EXIT.ok;
  }
  const exitCode = error instanceof CouponError ? exitCodeOf(error.kind) : EXIT.failure;
  const has = (flag: string): boolean => env.argv.includes(flag);
  if (/ --log-format[ =]json /.test(` ${env.argv.join(' ')} `)) {
    env.stderr.write(`${jsonText(failureLog(error, exitCode, Date.now()))}\n`);
  } else if (has('--json')) {
    env.stderr.write(`${jsonText(failureJson(error, exitCode))}\n`);
  } else {
    const colour = colours(env, env.stderr, { color: !has('--no-color') });
    env.stderr.write(failureText(error, painter(colour), has('--debug')));
  }
  return exitCode;
}

/** commander's own wording, split into our parts: "error: unknown option '--intervall'\n(Did you mean --interval?)". */
function usageOf(error: CommanderError, argv: readonly string[], program: PlainCommand): CouponError {
  const command = commandOf(argv, program);
  const names = [...program.options, ...command.options].map(({ long }) => long?.slice(2) ?? '');
  const [first = '', ...rest] = wordingOf(error, argv, names).split('\n');
  const isProgram = command === program;
  const path = pathOf(command, program);
  const help = isProgram
    ? '`coupon-cli --help` lists the commands, `coupon-cli COMMAND --help` the options of one.'
    : `Usage: ${command.createHelp().commandUsage(command)}\n\`${path} --help\` explains each.`;
  const usage = (message: string, fix: string): CouponError => new CouponError({ code: 'USAGE', kind: 'usage', message, fix });
  const unknown = isProgram ? /^unknown command '(.*)'$/.exec(first)?.[1] : undefined;
  if (unknown !== undefined)
    return usage(
      `${first}${commandSuggestion(
        unknown,
        COMMANDS.map(({ name }) => name),
      )}`,
      help,
    );
  if (first === "unknown option '-v'") return usage(first, 'Did you mean -V, --version?');
  const option = optionFor(/^unknown option '(.*)'$/.exec(first)?.[1] ?? '', names);
  const suggestion = option === undefined ? rest.join(' ').replace(/^\((.*)\)$/, '$1') : `Did you mean --${option}?`;
  const quotes = error.code === 'commander.excessArguments' ? 'Put a value with spaces between quotes.\n' : '';
  return usage(error.code === 'commander.help' ? 'a subcommand is missing' : first, suggestion || `${quotes}${help}`);
}

/** Who wrote an option by another name misses the right one: the wrong word is told before the missing one. */
function wordingOf({ code, message }: CommanderError, argv: readonly string[], names: readonly string[]): string {
  const given = argv.flatMap((word) => /^--([a-z][a-z-]*)/.exec(word)?.[1] ?? []);
  const wrong =
    code === 'commander.missingMandatoryOptionValue' ? given.find((name) => name !== 'help' && !names.includes(name)) : undefined;
  return wrong === undefined ? message.replace(/^error: /, '') : `unknown option '--${wrong}'`;
}

/** The command, or the subcommand, that the words name. */
function commandOf(argv: readonly string[], program: PlainCommand): PlainCommand {
  let found = program;
  for (const word of argv) found = found.commands.find((one) => one.name() === word) ?? found;
  return found;
}

function pathOf(command: PlainCommand, program: PlainCommand): string {
  const names: string[] = [];
  for (let at: PlainCommand | null = command; at; at = at === program ? null : at.parent) names.unshift(at.name());
  return names.join(' ');
}
