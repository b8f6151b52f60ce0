import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter();

/** Columns that a text takes in a terminal: Hangul and emoji two, combining marks and our own colours none. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text, filled up with spaces to that width. */
export function padded(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const room = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + room : room + text;
}

/** The text, with `…` for what does not fit. No character is split. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${piecesOf(text, width - 1)[0]!.trimEnd()}…`;
}

/** The text in lines of at most that width, between words where that is possible. Nothing is lost. */
export function wrapped(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = piecesOf(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1)!;
  }
  return [...lines, line];
}

/** At least one; each at most that wide, unless a single character is wider. */
function piecesOf(text: string, width: number): string[] {
  const pieces: string[] = [];
  let [piece, used] = ['', 0];
  for (const { segment } of GRAPHEMES.segment(text)) {
    const wide = widthOf(segment);
    if (piece !== '' && used + wide > width) {
      pieces.push(piece);
      [piece, used] = ['', 0];
    }
    piece += segment;
    used += wide;
  }
  return [...pieces, piece];
}
