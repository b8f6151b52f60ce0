/** What may stand at the cursor, from commander's own tree of commands. Pure: nothing is run and no store is asked. */
import type { Argument, Command, Option } from 'commander';
import { defaultCommand } from '../../help-format.ts';

export interface Candidate {
  value: string;
  about: string;
}

/** What the word at the cursor is. */
export interface Place {
  /** The text before the cursor, without `--option=`. */
  prefix: string;
  /** To be put before a value again: shells replace the whole word. */
  before: string;
  /** Commands and options that may stand there. */
  candidates: Candidate[];
  /** The placeholder of the value that may stand there, such as `id`, `file` or `scenario`; null: none may. */
  placeholder: string | null;
  /** Global options that were written, by name, such as `databaseUrl`. */
  globals: Record<string, string>;
}

/** @param words what was written after the program's name; the last one is that of the cursor, and may be empty */
export function placeOf(root: Command, words: readonly string[]): Place {
  const written = joined(words);
  const cursor = written.at(-1)!;
  const walk = new Walk(root);
  for (const { text } of written.slice(0, -1)) walk.step(text);
  const { option, command, globals } = walk;
  const place = { prefix: cursor.text, before: '', candidates: [], placeholder: null, globals };
  if (option) return { ...place, candidates: choicesOf(option), placeholder: placeholderOf(option.flags) };
  const assigned = /^(--[^=]+)=(.*)$/s.exec(cursor.text);
  if (assigned && !walk.ended) {
    const [, name, prefix] = assigned as unknown as [string, string, string];
    const found = walk.find(name);
    if (!found) return place;
    const before = cursor.split ? '' : `${name}=`;
    return { ...place, prefix, before, candidates: choicesOf(found), placeholder: placeholderOf(found.flags) };
  }
  if (cursor.text.startsWith('-') && !walk.ended) return { ...place, candidates: walk.options() };
  const argument = walk.argument();
  return {
    ...place,
    candidates: [...(walk.positionals === 0 ? subcommandsOf(command) : []), ...(argument ? choicesOf(argument) : [])],
    placeholder: argument?.name() ?? null,
  };
}

/** bash parts words at `=`. */
function joined(words: readonly string[]): { text: string; split: boolean }[] {
  const all: { text: string; split: boolean }[] = [];
  for (const [i, word] of words.entries()) {
    const last = all.at(-1);
    const continues = last !== undefined && last.text.startsWith('--') && (word === '=' || words[i - 1] === '=');
    if (continues) all[all.length - 1] = { text: last.text + word, split: true };
    else all.push({ text: word, split: false });
  }
  return all.length === 0 ? [{ text: '', split: false }] : all;
}

class Walk {
  readonly globals: Record<string, string> = {};
  command: Command;
  /** An option that waits for its value. */
  option: Option | null = null;
  positionals = 0;
  /** After `--` there are no options. */
  ended = false;

  constructor(root: Command) {
    this.command = root;
  }

  step(word: string): void {
    if (this.option) {
      this.#note(this.option, word);
      this.option = null;
    } else if (this.ended) this.positionals += 1;
    else if (word === '--') this.ended = true;
    else if (word.startsWith('-')) this.#optionWord(word);
    else this.#word(word);
  }

  options(): Candidate[] {
    const all = chain(this.#leaf()).flatMap((command) => command.options);
    const shown = all
      .filter((option) => !option.hidden && option.long)
      .map(({ long, description }) => ({ value: long!, about: description }));
    return [...shown, { value: '--help', about: 'show help' }];
  }

  find(name: string): Option | undefined {
    return chain(this.#leaf())
      .flatMap((command) => command.options)
      .find(({ short, long }) => short === name || long === name);
  }

  argument(): Argument | null {
    const { registeredArguments: wanted } = this.#leaf();
    const last = wanted.at(-1);
    return wanted[this.positionals] ?? (last?.variadic ? last : null);
  }

  #word(word: string): void {
    const inner =
      this.positionals === 0 ? this.command.commands.find((one) => one.name() === word || one.aliases().includes(word)) : undefined;
    if (inner) this.command = inner;
    else this.positionals += 1;
  }

  #optionWord(word: string): void {
    const [name = '', ...value] = word.split('=');
    const option = this.find(name);
    if (!option?.required) return;
    if (value.length > 0) this.#note(option, value.join('='));
    else this.option = option;
  }

  #note(option: Option, value: string): void {
    if (chain(this.command).at(-1)!.options.includes(option)) this.globals[option.attributeName()] = value;
  }

  /** The default subcommand, where one stands for its parent: `bench SCENARIO`. */
  #leaf(): Command {
    return defaultCommand(this.command) ?? this.command;
  }
}

function chain(command: Command): Command[] {
  return [command, ...(command.parent ? chain(command.parent) : [])];
}

function subcommandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), about: one.summary() || one.description() }));
}

function choicesOf({ argChoices = [] }: { argChoices?: readonly string[] | undefined }): Candidate[] {
  return argChoices.map((value) => ({ value, about: '' }));
}

function placeholderOf(flags: string): string | null {
  return /[<[]([^>\].]+)/.exec(flags)?.[1] ?? null;
}
