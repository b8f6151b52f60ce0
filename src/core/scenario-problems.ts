import { isMap, isNode, isScalar } from 'yaml';
import type { Document, LineCounter } from 'yaml';
import { z } from 'zod';
import { CouponError } from './errors.ts';
import { scenarioSchema } from './scenario-schema.ts';
import { suggestion } from './suggest.ts';

type Path = readonly PropertyKey[];
export type Report = (path: Path, message: string) => void;

interface Problem {
  path: string;
  line: number;
  column: number;
  message: string;
}

/** Collects what is wrong with a scenario file, each with its place in the text, so that one run shows all of it. */
export class Problems {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #found: Problem[] = [];

  constructor(file: string, document: Document, lines: LineCounter) {
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
    for (const one of flatten([issue])) reportIssue(one, (path, message) => this.add(path, message));
  }

  /** @throws CouponError `BAD_SCENARIO` */
  throwIfAny(): void {
    const sorted = this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (sorted.length === 0) return;
    const file = this.#file;
    throw new CouponError({
      code: 'BAD_SCENARIO',
      kind: 'usage',
      message: `${file} is not a valid scenario (${sorted.length === 1 ? '1 problem' : `${sorted.length} problems`}); nothing was sent`,
      why: sorted
        .map(({ path, line, column, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`)
        .join('\n'),
      fix: 'Correct these lines; `coupon-cli bench list` shows scenarios to start from.',
    });
  }
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

function reportIssue(issue: Issue, report: Report): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) report([...issue.path, key], `is not a setting${suggestion(key, keysAt(issue.path))}`);
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
}

/** The keys that the schema knows at a place, for suggestions. */
function keysAt(path: Path): string[] {
  let schemas: JsonSchema[] = [z.toJSONSchema(scenarioSchema, { io: 'input' }) as JsonSchema];
  for (const step of path) {
    schemas = schemas.flatMap(branches).flatMap((schema) => {
      const inner = typeof step === 'number' ? schema.items : schema.properties?.[String(step)];
      return inner ? [inner] : [];
    });
  }
  return schemas.flatMap(branches).flatMap((schema) => Object.keys(schema.properties ?? {}));
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(branches)];
}

/** Where the value at a path stands in the text; for a key that is not there, its nearest parent. */
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
