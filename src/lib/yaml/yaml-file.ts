import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { expandVariables, type Variables } from '../environment.ts';
import { CouponError } from '../errors.ts';
import { keepAsWritten, keepDigits } from './as-written.ts';
import type { Report } from './issues.ts';
import { Problems, type YamlKind } from './problems.ts';

/** Unfolding a longer text takes minutes and gigabytes. */
const MAX_CHARACTERS = 4_000_000;

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
  keepDigits(document, kind.texts ?? [], (offset, message) => problems.addAt(offset, message));
  problems.throwIfAny();
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
