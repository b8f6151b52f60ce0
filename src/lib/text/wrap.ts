/** Where an explanation begins on the line of what it explains. */
const COLUMN_GAP = / {2,}(?=\S)/;
const NARROW_INDENT = 6;
/** A line that is typed into a shell as it stands; it goes on after a backslash. */
const TYPED = /^(coupon-cli|npx|curl|eval|source|REDIS_URL=|DATABASE_URL=)/;
/** Words; a quoted one stays whole. */
const WORDS = /(?:"[^"]*"|'[^']*'|[^\s"'])+|["']\S*/g;

/** Help as a terminal of this width shows it without breaking a word: options, examples and prose, each in its own way. */
export function wrapHelp(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => (columns(line) <= width ? [line] : wrapLine(line, width)))
    .join('\n');
}

function wrapLine(line: string, width: number): string[] {
  const body = line.trimStart();
  const deep = line.length - body.length;
  // A column far to the right leaves no room beside it.
  const indent = ' '.repeat(deep > width / 2 ? NARROW_INDENT : deep);
  const gap = COLUMN_GAP.exec(body);
  if (gap !== null) {
    const [term, about] = [body.slice(0, gap.index), body.slice(gap.index + gap[0].length)];
    // An explanation that has no column of its own stands below.
    return [...wrapLine(indent + term, width), ...filled(about.split(/ +/), { indent: `${indent}    `, width })];
  }
  if (!TYPED.test(body)) return filled(body.split(/ +/), { indent, width });
  const lines = filled(body.match(WORDS) ?? [body], { indent, width: width - 2, hanging: '    ' });
  return lines.map((one, i) => (i + 1 < lines.length && !one.endsWith('\\') ? `${one} \\` : one));
}

function filled(words: readonly string[], { indent, width, hanging = '' }: { indent: string; width: number; hanging?: string }): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? `${indent}${lines.length > 0 ? hanging : ''}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Of our own help: ASCII, and Hangul, which takes two. A library that knows all of Unicode takes longer to load than the rest of `--help`. */
function columns(text: string): number {
  return text.length + (text.match(/[\uac00-\ud7a3]/g)?.length ?? 0);
}
