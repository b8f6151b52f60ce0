import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A Markdown document; `path` is relative to the root. */
export interface Document {
  path: string;
  text: string;
}

export function document(path: string): Document {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

/** Every Markdown document of the project: those at the root and all below `docs`. */
export function documents(): Document[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return [...atRoot, ...below].toSorted().map(document);
}

export interface Fence {
  language: string;
  text: string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

export function fences({ text }: Pick<Document, 'text'>): Fence[] {
  return [...text.matchAll(FENCE)].map(([, language = '', body = '']) => ({ language, text: body }));
}

/** The content of every `code span` outside of fences. */
export function spans({ text }: Pick<Document, 'text'>): string[] {
  return [...text.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
}

/** Relative links of a document that lead nowhere: to no file, or to no heading of it. */
export function deadLinks({ path, text }: Document): string[] {
  const prose = text.replaceAll(FENCE, '').replaceAll(/`[^`\n]+`/g, 'code');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? text : readIfThere(normalize(join(dirname(path), file)));
    return found === null || (anchor !== undefined && !anchors(found).includes(anchor));
  });
}

/** The files that the relative links of a document lead to, from the root. */
export function linksOf({ path, text }: Document): string[] {
  const targets = [
    ...text
      .replaceAll(FENCE, '')
      .replaceAll(/`[^`\n]+`/g, 'code')
      .matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g),
  ];
  return targets
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => normalize(join(dirname(path), target)));
}

/** The text of a document, `''` for another file or a folder, null where there is none. */
function readIfThere(path: string): string | null {
  const full = join(ROOT, path);
  if (relative(ROOT, full).startsWith('..') || !existsSync(full)) return null;
  return full.endsWith('.md') ? readFileSync(full, 'utf8') : '';
}

/** Anchors of the headings, spelled as GitHub spells them. */
function anchors(text: string): string[] {
  return [...text.replaceAll(FENCE, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

/** Paths of the project in code spans that do not exist. Names with a placeholder, such as `<name>`, are left alone. */
export function missingPaths(text: Pick<Document, 'text'>): string[] {
  return spans(text).filter(
    (span) => /^(src|test|docs|scripts|scenarios|schemas|bin|\.ci)\/[\w./-]*$/.test(span) && !existsSync(join(ROOT, span)),
  );
}
