import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, Scalar, visit } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { expandVariables, type Variables } from './environment.ts';
import type { ErrorCode } from './error-codes.ts';
import { CouponError } from './errors.ts';
import { suggestion } from './text/suggest.ts';
import { visible } from './text/visible.ts';
import { widthOf } from './text/width.ts';

/** Unfolding a longer text takes minutes and gigabytes. */
const MAX_CHARACTERS = 4_000_000;
/** More than these are not shown at once. */
const SHOWN_PROBLEMS = 20;

/** One kind of file that people write: its shape, and how to speak of it. */
export interface YamlKind<Schema extends z.ZodType> {
  schema: Schema;
  /** Code of the error, such as `BAD_SCENARIO`. */
  code: ErrorCode;
  /** "a valid scenario", "a valid event file". */
  what: string;
  fix: string;
  /** A field of the maps in a list that is text however it looks: 0042 is not 42, 1e3 not 1000. */
  asWritten?: { list: string; field: string };
}

/**
 * Reads a YAML text (JSON is YAML too): first its syntax, then its shape, then what its fields mean together. All problems of
 * one stage are reported at once.
 *
 * @param file only for messages
 * @param variables values for `${NAME}` in strings; without them such a string is taken as it stands
 * @throws CouponError with the kind's code, naming line and column of every problem
 */
export function readYaml<Schema extends z.ZodType, Result>(
  kind: YamlKind<Schema>,
  source: string,
  file: string,
  meaning: (read: z.output<Schema>, report: Report) => Result,
  variables?: Variables,
): Result {
  if (source.length > MAX_CHARACTERS) {
    const message = `${file} has ${source.length} characters; at most ${MAX_CHARACTERS} are read, and nothing was done`;
    throw new CouponError({ code: kind.code, kind: 'usage', message, fix: kind.fix });
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const problems = new Problems(kind, file, source, document, lines);
  for (const error of document.errors) problems.addAt(error.pos[0], error.message);
  if (variables) expandVariables(document, variables, (offset, message) => problems.addAt(offset, message));
  refuseCollectionsAsKeys(document, problems);
  problems.throwIfAny();
  if (kind.asWritten) keepAsWritten(document, kind.asWritten);
  const parsed = kind.schema.safeParse(unfold(document, problems));
  if (!parsed.success) for (const issue of parsed.error.issues) problems.addIssue(issue);
  problems.throwIfAny();
  const result = meaning(parsed.data!, (path, message) => problems.add(path, message));
  problems.throwIfAny();
  return result;
}

/** `{{userId}}` without quotes is a map whose key is a map, which nobody means. */
function refuseCollectionsAsKeys(document: Document, problems: Problems): void {
  visit(document, {
    Pair(_, { key }) {
      if (!isMap(key) && !isSeq(key)) return;
      const first = isMap(key) ? key.items[0]?.key : undefined;
      const inner = isScalar(first) ? String(first.value) : 'name';
      const offset = key.range?.[0] ?? 0;
      problems.addAt(offset, `a ${isMap(key) ? 'map' : 'list'} cannot be a name; a variable stands in quotes: "{{${inner}}}"`);
    },
  });
}

/** Plain scalars that YAML takes for numbers and the like become the text as written. */
function keepAsWritten(document: Document, { list, field }: { list: string; field: string }): void {
  const items = document.get(list, true);
  if (!isSeq(items)) return;
  for (const item of items.items) {
    const map = isAlias(item) ? item.resolve(document) : item;
    const node = isMap(map) ? map.get(field, true) : undefined;
    if (isScalar(node) && node.type === Scalar.PLAIN && typeof node.value !== 'string' && node.source) node.value = node.source;
  }
}

/** Aliases can make a small file unfold to a huge one; `yaml` then throws a ReferenceError. */
function unfold(document: Document, problems: Problems): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.addAt(0, (error as Error).message);
    problems.throwIfAny();
    throw error;
  }
}

type Path = readonly PropertyKey[];
export type Report = (path: Path, message: string) => void;

interface Problem {
  path: string;
  line: number;
  column: number;
  message: string;
}

/** Collects what is wrong with a file, each with its place in the text, so that one run shows all of it. */
class Problems {
  readonly #kind: YamlKind<z.ZodType>;
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #source: string;
  readonly #found: Problem[] = [];

  constructor(kind: YamlKind<z.ZodType>, file: string, source: string, document: Document, lines: LineCounter) {
    this.#source = source;
    this.#kind = kind;
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  add(path: Path, message: string): void {
    this.addAt(offsetOf(this.#document, path), message, pathText(path));
  }

  addAt(offset: number, message: string, path = ''): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#found.push({ path, line: Math.max(1, line), column: Math.max(1, col), message });
  }

  addIssue(issue: Issue): void {
    for (const one of flatten([issue])) reportIssue(this.#kind.schema, one, (path, message) => this.add(path, message));
  }

  throwIfAny(): void {
    const sorted = this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (sorted.length === 0) return;
    const file = this.#file;
    throw new CouponError({
      code: this.#kind.code,
      kind: 'usage',
      message: `${file} is not ${this.#kind.what} (${sorted.length === 1 ? '1 problem' : `${sorted.length} problems`}); nothing was done`,
      why: [
        ...sorted
          .slice(0, SHOWN_PROBLEMS)
          .map(({ path, line, column, message }) => [
            visible(`${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`),
            ...pointed(this.#source, line, column),
          ])
          .flat(),
        ...(sorted.length > SHOWN_PROBLEMS ? [`and ${sorted.length - SHOWN_PROBLEMS} more`] : []),
      ].join('\n'),
      fix: this.#kind.fix,
    });
  }
}

/** What is shown of a long line: so much before the place, and so much in all. */
const SHOWN_BEFORE = 50;
const SHOWN_OF_LINE = 100;

/** The line with a caret below the place; nothing for a line that is not there. */
function pointed(source: string, line: number, column: number): string[] {
  const text = source.split(/\r?\n/, line)[line - 1] ?? '';
  if (text.trim() === '') return [];
  const from = Math.max(0, column - 1 - SHOWN_BEFORE);
  const cut = from > 0 ? '…' : '';
  // A tab takes one place, so that the caret stands below what it points at.
  const shown = visible(text.slice(from, from + SHOWN_OF_LINE).replaceAll('\t', ' '));
  const before = visible(text.slice(from, column - 1).replaceAll('\t', ' '));
  return [`    ${cut}${shown}`, `    ${' '.repeat(cut.length + widthOf(before))}^`];
}

type Issue = z.core.$ZodIssue;

/** A union reports what each branch missed; the branch that came closest says it best. */
function flatten(issues: readonly Issue[], at: Path = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }];
    const depth = (branch: readonly Issue[]): number =>
      Math.max(0, ...branch.map((one) => one.path.length + (one.code === 'unrecognized_keys' ? 1 : 0)));
    const closest = issue.errors.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
    return flatten(closest, path);
  });
}

function reportIssue(schema: z.ZodType, issue: Issue, report: Report): void {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    // Finding the place of a key takes a walk over all of them.
    const more = issue.keys.length - SHOWN_PROBLEMS;
    if (more > 0) report(issue.path, `has ${more} more keys that are no settings`);
    for (const key of issue.keys.slice(0, SHOWN_PROBLEMS)) {
      // A setting of another kind of the same thing: of an executor that was not chosen.
      report([...issue.path, key], known.includes(key) ? 'is not a setting of this kind' : `is not a setting${suggestion(key, known)}`);
    }
  } else if (issue.code === 'invalid_union' && 'options' in issue) {
    // The kinds that a discriminated union knows; undefined stands for the one that need not be named.
    report(issue.path, `must be one of ${[issue.options].flat().filter(Boolean).join(', ')}`);
  } else if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid option')) {
    report(issue.path, `must be one of ${issue.values.join(', ')}`);
  } else if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    report(issue.path, 'is missing');
  } else report(issue.path, lowerFirst(issue.message.replace('expected number to be ', 'must be ').replace(/^Invalid input: /, '')));
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The keys that the schema knows at a place, for suggestions. */
function keysAt(root: z.ZodType, path: Path): string[] {
  let schemas: JsonSchema[] = [z.toJSONSchema(root, { io: 'input' }) as JsonSchema];
  for (const step of path) {
    schemas = schemas.flatMap(branches).flatMap((schema) => {
      const inner = typeof step === 'number' ? schema.items : schema.properties?.[String(step)];
      return inner ? [inner] : [];
    });
  }
  return schemas.flatMap(branches).flatMap((schema) => Object.keys(schema.properties ?? {}));
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(branches)];
}

/** Where the value at a path is in the text; for a key that is not there, its nearest parent. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    const holder = length === 1 ? document.contents : parent;
    const key = path[length - 1];
    const pair = isMap(holder) ? holder.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key)) : undefined;
    const node = length === path.length && pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`)).join('');
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
