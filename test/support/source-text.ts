import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './markdown.ts';

/** All of `src` as one text. */
export function sourceText(isRead: (file: { path: string }) => boolean): string {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((path) => path.endsWith('.ts') && isRead({ path }))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n');
}
