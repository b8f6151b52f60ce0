import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const MOST_FILES = 20;
const MOST_LINES = 250;

type Files = ReadonlyMap<string, string>;

function filesIn(folder: string): Files {
  const paths = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

function fullFolders(files: Files): string[] {
  const counts = new Map<string, number>();
  for (const path of files.keys()) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > MOST_FILES).map(([folder, count]) => `${folder}: ${count} files`);
}

function longFiles(files: Files): string[] {
  const lengths = [...files].map(([path, text]) => [path, text.split('\n').length - 1] as const);
  return lengths.filter(([, lines]) => lines > MOST_LINES).map(([path, lines]) => `${path}: ${lines} lines`);
}

/** Names in comments, with or without a folder, that no file has. */
function goneFiles(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    const comments = text.split('\n').filter((line) => /^\s*(?:\/?\*|\/\/|--)/.test(line));
    const named = comments.flatMap((line) => [...line.matchAll(/(?<![\w./-])[a-z][\w./-]*\.(?:test\.ts|ts|lua|sql)\b/g)]);
    const exists = (name: string): boolean => [...files.keys()].some((one) => one === name || one.endsWith(`/${name}`));
    return named.flatMap(([name]) => (exists(name) ? [] : [`${path}: ${name}`]));
  });
}

/** Also of types: two files that need each other's types are one thing, or lack a third. */
function circles(files: Files): string[] {
  const imports = new Map(
    [...files].map(([path, text]) => {
      const found = [...text.matchAll(/^(?:import|export) (?:[^;]*? )?from '(\.[^']+)';|^import '(\.[^']+)';/gm)];
      return [path, found.map((match) => normalize(join(dirname(path), (match[1] ?? match[2])!)))];
    }),
  );
  const [done, way, found] = [new Set<string>(), [] as string[], [] as string[]];
  const visit = (path: string): void => {
    const at = way.indexOf(path);
    if (at >= 0) found.push([...way.slice(at), path].join(' → '));
    if (at >= 0 || done.has(path)) return;
    way.push(path);
    for (const next of imports.get(path) ?? []) visit(next);
    way.pop();
    done.add(path);
  };
  for (const path of files.keys()) visit(path);
  return found;
}

it('comments name files that there are', () => {
  const files = new Map([...filesIn('src'), ...filesIn('test')]);
  expect(goneFiles(files)).toEqual([]);
  const planted = new Map([
    ['src/a.ts', '/** As `b.ts`; see `lua/b.lua`. */\n// of lib/a.ts\nconst text = "c.ts";\n'],
    ['src/lib/b.ts', ' * The driver; `test/b.test.ts` holds it to this.\n'],
  ]);
  expect(goneFiles(planted)).toEqual(['src/a.ts: lua/b.lua', 'src/a.ts: lib/a.ts', 'src/lib/b.ts: test/b.test.ts']);
});

describe('the folders of src', () => {
  const files = filesIn('src');

  it(`have at most ${MOST_FILES} files each`, () => {
    expect(fullFolders(files)).toEqual([]);
    const full = new Map(Array.from({ length: MOST_FILES + 1 }, (_, i) => [`src/lib/${i}.ts`, '']));
    expect(fullFolders(full)).toEqual(['src/lib: 21 files']);
  });

  it(`have files of at most ${MOST_LINES} lines`, () => {
    expect(longFiles(files)).toEqual([]);
    expect(longFiles(new Map([['src/long.ts', '\n'.repeat(MOST_LINES + 1)]]))).toEqual(['src/long.ts: 251 lines']);
  });

  it('import each other without circles', () => {
    expect(files.size).toBeGreaterThan(100);
    expect(circles(files)).toEqual([]);
    const planted = new Map([
      ['src/a.ts', "import { b } from './lib/b.ts';\n"],
      ['src/lib/b.ts', "import {\n  c,\n} from './c.ts';\n"],
      ['src/lib/c.ts', "import type { A } from '../a.ts';\n"],
    ]);
    expect(circles(planted)).toEqual(['src/a.ts → src/lib/b.ts → src/lib/c.ts → src/a.ts']);
  });
});
