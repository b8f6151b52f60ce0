import { visit } from 'yaml';
import type { Document } from 'yaml';

export type Variables = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$?\$\{([^}]*)\}?/g;

/**
 * Puts the values of environment variables into the strings of a file: `${NAME}`; `$${NAME}` stays as `${NAME}`. An unset
 * variable is a problem and not the empty string: a load on the wrong address is worse than none. The value is a string
 * wherever it stands, and cannot change the shape of the file.
 *
 * @param problem called with an offset into the text
 */
export function expandVariables(document: Document, variables: Variables, problem: (offset: number, message: string) => void): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      node.value = node.value.replaceAll(REFERENCE, (found: string, name: string) => {
        if (found.startsWith('$$')) return found.slice(1);
        const at = node.range?.[0] ?? 0;
        if (!found.endsWith('}') || !/^[A-Za-z_]\w*$/.test(name)) {
          problem(at, `"${found}" is not the name of a variable; write \${NAME}, or $\${ for the characters themselves`);
          return found;
        }
        const value = variables[name];
        if (value === undefined || value === '') problem(at, `the environment variable ${name} is not set`);
        return value ?? '';
      });
    },
  });
}
