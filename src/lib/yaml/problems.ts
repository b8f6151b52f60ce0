import { plural } from '../text/figures.ts';
import { isMap, isNode, isScalar, type Document, type LineCounter } from 'yaml';
import type { z } from 'zod';
import type { ErrorCode } from '../error-codes.ts';
import { CouponError } from '../errors.ts';
import { visible } from '../text/visible.ts';
import { widthOf } from '../text/width.ts';
import { flatten, reportIssue, SHOWN_PROBLEMS, type Issue, type Path } from './issues.ts';

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
  /** Names of maps whose values are text, such as the parameters of a URL. */
  texts?: readonly string[];
}

interface Problem {
  path: string;
  line: number;
  column: number;
  message: string;
}

/** Collects what is wrong with a file, each with its place in the text, so that one run shows all of it. */
export class Problems {
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
      message: `${file} is not ${this.#kind.what} (${plural(sorted.length, 'problem')}); nothing was done`,
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
