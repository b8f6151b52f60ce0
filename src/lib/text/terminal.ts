import { visible } from './visible.ts';

/** What a painter writes (see `style.ts`), and nothing else of ECMA-48. */
// oxlint-disable-next-line no-control-regex
const PAINTED = /(\u001b\[(?:1|2|22|31|32|33|36|39)m)/;

/**
 * The last door before a terminal. Whatever data brought along, only line ends, tabs and our own colours pass as they are; the rest is
 * written out. Text that data could make ambiguous is made visible where it is put together; this is for what was missed there.
 */
export function terminalText(text: string, coloured: boolean): string {
  if (!coloured) return linesOf(text);
  return text
    .split(PAINTED)
    .map((part, index) => (index % 2 === 1 ? part : linesOf(part)))
    .join('');
}

function linesOf(text: string): string {
  return text.replaceAll(/[^\n\t]+/g, visible);
}

/** JSON with the very same value, in which no character is left that a terminal would obey or hide. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  // JSON.stringify has escaped what is below a space; the line ends left are its own.
  return text.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, (found) =>
    found.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
