import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const BEGIN = '<!-- matrix:begin -->';
const END = '<!-- matrix:end -->';
const HEAD = '| Version | What was run | Tests passed | Result |\n| --- | --- | ---: | --- |';

export interface Row {
  label: string;
  /** Programs of the run; empty when there was none. */
  on: string;
  passed: number;
  result: string;
  problems: string[];
}

/** The text with these rows in its table; rows of other labels stay as they are. @throws Error when there is no place for a table */
export function withRows(text: string, labels: readonly string[], rows: readonly Row[]): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the table between ${BEGIN} and ${END}`);
  const lines = new Map<string, string>();
  for (const line of text.slice(from, to).split('\n')) lines.set(/^\| ([^|]*?) *\|/.exec(line)?.[1] ?? '', line);
  for (const { label, on, passed, result } of rows)
    lines.set(label, `| ${label} | ${on || '—'} | ${on === '' ? '—' : passed} | ${result} |`);
  const table = labels.flatMap((label) => lines.get(label) ?? []);
  return `${text.slice(0, from + BEGIN.length)}\n\n${[HEAD, ...table].join('\n')}\n\n${text.slice(to)}`;
}

export async function writeRows(file: string, labels: readonly string[], rows: readonly Row[]): Promise<void> {
  const text = withRows(readFileSync(file, 'utf8'), labels, rows);
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
