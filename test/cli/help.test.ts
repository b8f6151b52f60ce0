import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Command } from 'commander';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { commandSuggestion, OPTION_SYNONYMS, SYNONYMS } from '../../src/cli/synonyms.ts';
import { widthOf } from '../../src/lib/text/width.ts';
import { wrapHelp } from '../../src/lib/text/wrap.ts';
import { loadProgram, wrongCommand } from '../support/documented-commands.ts';
import { cli, type CliOptions } from '../support/run-cli.ts';

const program = await loadProgram();

/** Every command and subcommand that help shows, as it is typed. */
function pages(command: Command, path: string[] = []): string[][] {
  const inner = command.createHelp().visibleCommands(command);
  return [path, ...inner.filter((one) => one.name() !== 'help').flatMap((one) => pages(one, [...path, one.name()]))];
}

const all = pages(program.root);
const help = async (path: readonly string[], columns: number): Promise<string> =>
  (await cli([...path, '--help'], { columns, tty: columns > 0, vars: { NO_COLOR: '1' } })).stdout;

describe.each([40, 60, 80, 120])('help on a terminal of %i columns', (columns) => {
  it('breaks no word, and passes the edge only with a word that is longer', async () => {
    expect(all.length).toBeGreaterThan(30);
    const wide: string[] = [];
    for (const path of all) {
      const text = await help(path, columns);
      for (const line of text.split('\n')) {
        const words = line.trim().replace(/ \\$/, '').split(' ');
        const isOneWord = words.length === 1 || /^(\S+ )?["']/.test(line.trim()) || line.trim().startsWith('-');
        if (widthOf(line) > columns && !isOneWord) wide.push(`${path.join(' ')}: ${line}`);
      }
    }
    expect(wide).toEqual([]);
  });
});

it('help says the same at every width', async () => {
  const words = (text: string): string => text.replaceAll(' \\\n', '\n').replaceAll(/\s+/g, ' ');
  const epilogue = (text: string): string => text.slice(text.indexOf('\nExamples:'));
  for (const path of all) expect(words(epilogue(await help(path, 50))), path.join(' ')).toBe(words(epilogue(await help(path, 0))));
});

it('an example that is too long goes on after a backslash, with what is quoted whole', () => {
  expect(wrapHelp('  coupon-cli seed 42 --name "Of the summer" --stock 100', 40).split('\n')).toEqual([
    '  coupon-cli seed 42 --name \\',
    '      "Of the summer" --stock 100',
  ]);
  // Seven characters and a space, of fifteen columns.
  expect(wrapHelp('  coupon-cli rename summer --name "여름맞이 쿠폰을"', 50)).toContain('\\\n');
  expect(wrapHelp('  coupon-cli demo      a whole flash sale in under a minute', 30).split('\n')).toEqual([
    '  coupon-cli demo',
    '      a whole flash sale in',
    '      under a minute',
  ]);
});

it('options are shown wherever they work, and nothing is said of empty defaults', async () => {
  expect(await help(['bench'], 100)).toContain('--stack ');
  expect(await help(['inspect', 'queue'], 100)).toContain('--limit ');
  for (const path of all) expect(await help(path, 100)).not.toMatch(/default: (\[\]|")/);
});

it('options of every command stand in the help of the program, which the others name', async () => {
  expect(await help([], 100)).toContain('--redis-url <url>');
  const drain = await help(['drain'], 100);
  expect(drain).not.toContain('--redis-url <url>');
  expect(drain).toContain('coupon-cli --help lists the options of every command');
});

describe('a command that there is not', () => {
  it.each([
    ['status', 'inspect'],
    ['list', 'inspect'],
    ['monitor', 'top'],
    ['stop', 'pause'],
    ['version', '--version'],
    ['dran', 'drain'],
  ])('%s: did you mean %s?', async (written, meant) => {
    for (const argv of [[written], ['help', written], ['--json', written]]) {
      const { exitCode, stderr } = await cli(argv);
      expect({ exitCode, stderr: stderr.replaceAll('\\"', '"') }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`did you mean "${meant}"?`),
      });
    }
  });

  it('is never guessed wildly', () => expect(commandSuggestion('constructor', ['drain'])).toBe(''));

  it('each synonym leads to a command, and is none', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(Object.keys(SYNONYMS).filter((word) => names.includes(word))).toEqual([]);
    const lost = Object.values(SYNONYMS).filter((meant) => wrongCommand(program, { words: meant.split(' '), example: true }) !== null);
    expect(lost).toEqual([]);
  });
});

describe('an option that another tool has', () => {
  const optionsOf = (path: readonly string[]): string[] =>
    path
      .reduce<Command>((at, word) => at.commands.find((one) => one.name() === word)!, program.root)
      .options.map(({ long }) => long!.slice(2));

  it('leads to one of ours', () => {
    const known = new Set([...all.flatMap(optionsOf), ...program.global.map(({ long }) => long!.slice(2))]);
    expect(
      Object.values(OPTION_SYNONYMS)
        .flat()
        .filter((option) => !known.has(option)),
    ).toEqual([]);
  });

  it.each([
    [['seed', 'x', '--total', '5'], '--stock'],
    [['restock', 'x', '--total', '5'], '--add'],
    [['restock', 'x', '--ad', '5'], '--add'],
    [['drain', '--limit', '5'], '--batch'],
    [['inspect', '--redis', 'x'], '--redis-url'],
    [['audit', '--fix'], '--repair'],
  ])('%j is answered with %s', async (argv, option) => {
    const { exitCode, stderr } = await cli(argv);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`fix: Did you mean ${option}?`)]);
  });
});

it('a wrong use of a command names the help of that command', async () => {
  expect((await cli(['seed', '1', '--name', '여름', '쿠폰'])).stderr).toMatch(/between quotes[^]*`coupon-cli seed --help`/);
  expect((await cli(['seed', '--nam'])).stderr).toContain('--name');
});

describe('colour in help', () => {
  const shown = async (options: CliOptions, ...flags: string[]) => (await cli(['seed', '--help', ...flags], options)).stdout;
  const PAINTED = '\u001b[1mOptions:\u001b[22m\n  \u001b[36m--name <text>\u001b[39m  ';

  it.each([
    ['on a terminal', { tty: true, columns: 100 }, []],
    ['in a pipe with FORCE_COLOR', { vars: { FORCE_COLOR: '1' } }, []],
    ['in a pipe with CLICOLOR_FORCE', { vars: { CLICOLOR_FORCE: '1' } }, []],
  ] as const)('%s: headings are bold, and options stand out', async (_name, options, flags) => {
    const text = await shown(options, ...flags);
    expect(text).toContain(PAINTED);
    expect(text).toContain('\n  coupon-cli seed --file event.yaml\n');
  });

  it.each([
    ['in a pipe', {}, []],
    ['with NO_COLOR', { tty: true, columns: 100, vars: { NO_COLOR: '1' } }, []],
    ['on a dumb terminal', { tty: true, columns: 100, vars: { TERM: 'dumb' } }, []],
    ['with --no-color', { tty: true, columns: 100 }, ['--no-color']],
  ])('%s: none', async (_name, options, flags) => {
    expect(await shown(options, ...flags)).not.toContain('\u001b');
  });

  it('changes nothing but the looks', async () => {
    for (const path of all) {
      const { stdout } = await cli([...path, '--help'], { columns: 60, tty: true });
      expect(stripVTControlCharacters(stdout)).toBe(await help(path, 60));
    }
  });
});
