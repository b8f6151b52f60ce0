import { Command } from 'commander';
import type { Command as TypedCommand } from '@commander-js/extra-typings';
import type { Cli } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { fences, spans, type Document } from './markdown.ts';
import { cli } from './run-cli.ts';

/** A command line in a document. Prose may name an option without its value; an example may not. */
export interface Documented {
  words: string[];
  example: boolean;
}

interface Flag {
  short?: string | undefined;
  long?: string | undefined;
  /** It takes a value. */
  required: boolean;
}

/** All commands with their options, built as the program builds them. Nothing is run. */
export interface Program {
  root: Command;
  global: Flag[];
}

export async function loadProgram(): Promise<Program> {
  const root = new Command('coupon-cli');
  const never = (): never => {
    throw new Error('a document must not run anything');
  };
  const nothing = { run: never, dispatch: never, env: {}, commandNames: () => [] } as unknown as Cli;
  for (const entry of COMMANDS) {
    const { configure } = await entry.load();
    configure(root.command(entry.name) as unknown as TypedCommand, nothing);
  }
  const { stdout } = await cli(['--help']);
  const global = [...stdout.matchAll(/^ {2}(?:(-\w), )?(--[a-z-]+)( <)?/gm)].map(([, short, long, value]) => ({
    short,
    long,
    required: value !== undefined,
  }));
  return { root, global };
}

/** Command lines in shell examples, and in code spans that begin with the program or with one of its commands. */
export function documentedCommands(document: Pick<Document, 'text'>): Documented[] {
  const names = new Set(COMMANDS.map(({ name }) => name));
  const examples = fences(document)
    .filter(({ language }) => ['sh', 'ini', 'console'].includes(language))
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  const inProse = spans(document).map((span) => (names.has(span.split(' ')[0]!) ? `coupon-cli ${span}` : span));
  return [
    ...examples.flatMap((line) => calls(line).map((words) => ({ words, example: true }))),
    ...inProse.flatMap((line) => calls(line).map((words) => ({ words, example: false }))),
  ];
}

/** The words after each `coupon-cli` of a line, up to a comment or the next command. */
function calls(line: string): string[][] {
  const begins = [...line.replace(/(^|\s)#.*$/, '').matchAll(/(?<![\w-])coupon-cli (?=\S)/g)].map((match) => match.index + match[0].length);
  return begins.map((begin) => wordsOf(line.slice(begin)));
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    if (/^([#|;>]|&)/.test(word)) break;
    words.push(word.replace(/[)"`]+$/, ''));
    if (/[;)]["`]?$/.test(word)) break;
  }
  return words;
}

/** What is wrong with a command line; null: the program has such a command with such options. */
export function wrongCommand({ root, global }: Program, { words, example }: Documented): string | null {
  let command = root;
  let positionals = 0;
  const flags = (): readonly Flag[] => {
    const own: Flag[] = [...global, { short: '-h', long: '--help', required: false }];
    for (let at: Command | null = command; at; at = at.parent) own.push(...at.options);
    return own;
  };
  const find = (name: string): Flag | undefined => flags().find(({ short, long }) => short === name || long === name);
  // `bench SCENARIO` is short for `bench run SCENARIO`.
  const enterDefault = (): boolean => {
    const inner = command.commands.find((one) => one.name() === 'run');
    if (inner) command = inner;
    return inner !== undefined;
  };
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === 'COMMAND') return null;
    if (/^--?[a-z]/i.test(word)) {
      const name = word.split('=')[0]!;
      const flag = find(name) ?? (enterDefault() ? find(name) : undefined);
      if (!flag) return `${command.name()} has no option ${name}`;
      if (!flag.required || word.includes('=')) continue;
      index += 1;
      if (example && words[index] === undefined) return `${name} needs a value`;
      continue;
    }
    const inner = command.commands.find((one) => one.name() === word);
    if (inner) {
      command = inner;
      continue;
    }
    if (command.commands.length > 0 && !enterDefault()) return `${command.name()} has no command ${word}`;
    positionals += 1;
    const { registeredArguments: wanted } = command;
    if (positionals > wanted.length && !wanted.at(-1)?.variadic) return `${command.name()} takes no argument ${word}`;
  }
  return null;
}
