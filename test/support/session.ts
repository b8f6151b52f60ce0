import { fences, type Document } from './markdown.ts';

/** A command of a session in a document, and what the document shows below it. */
export interface Shown {
  program: 'coupon-cli' | 'redis-cli';
  argv: string[];
  shown: string;
}

/** All commands of the `console` examples of a page, in order. */
export function sessionOf(page: Pick<Document, 'text'>): Shown[] {
  const text = fences(page)
    .filter(({ language }) => language === 'console')
    .map((fence) => fence.text)
    .join('');
  return text
    .split(/^\$ (?=(?:coupon|redis)-cli )/m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      const [program, ...argv] = wordsOf(part.slice(0, end));
      return { program: program as Shown['program'], argv, shown: part.slice(end + 1) };
    });
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain!);
}

/** Times and rates are others in each run; what was counted is not. */
export function withoutFigures(output: string): string {
  return output
    .replaceAll(/\d[\d,.]* ?(ms|s)\b/g, 'TIME')
    .replaceAll(/\d[\d,.]*\/s\b/g, 'RATE')
    .replaceAll(/ *TIME/g, ' TIME')
    .replaceAll(/ +$/gm, '')
    .trimEnd();
}
