import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const BEGIN = '<!-- faults:begin -->';
const END = '<!-- faults:end -->';

/** Puts the table between the two marks of a Markdown text. @throws Error when they are not there */
export function withTable(text: string, table: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the table between ${BEGIN} and ${END}`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${table}\n\n${text.slice(to)}`;
}

export async function writeTable(file: string, table: string): Promise<void> {
  const text = withTable(readFileSync(file, 'utf8'), table);
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
