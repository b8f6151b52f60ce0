/** What zod found wrong with the shape of a file, in words. */
import { z } from 'zod';
import { suggestion } from '../text/suggest.ts';

/** More than these are not shown at once. */
export const SHOWN_PROBLEMS = 20;

export type Path = readonly PropertyKey[];
export type Report = (path: Path, message: string) => void;

export type Issue = z.core.$ZodIssue;

/** A union reports what each branch missed; the branch that came closest says it best. */
export function flatten(issues: readonly Issue[], at: Path = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }];
    const depth = (branch: readonly Issue[]): number =>
      Math.max(0, ...branch.map((one) => one.path.length + (one.code === 'unrecognized_keys' ? 1 : 0)));
    const closest = issue.errors.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
    return flatten(closest, path);
  });
}

export function reportIssue(schema: z.ZodType, issue: Issue, report: Report): void {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    // Finding the place of a key takes a walk over all of them.
    const more = issue.keys.length - SHOWN_PROBLEMS;
    if (more > 0) report(issue.path, `has ${more} more unknown keys`);
    for (const key of issue.keys.slice(0, SHOWN_PROBLEMS)) {
      // A setting of another kind of the same thing: of an executor that was not chosen.
      report([...issue.path, key], known.includes(key) ? 'is no key of this kind' : `is an unknown key${suggestion(key, known)}`);
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

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
