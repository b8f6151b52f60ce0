/**
 * Text that other programs wrote, made safe for a terminal: whatever would move the cursor, turn the writing direction, or take no room
 * at all is written out, such as `\x1b` or `\u202e`. What scripts and emoji need to be spelled stays.
 */

/** Scripts whose spelling needs the joiners U+200C and U+200D within a word. */
const JOINING =
  '[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Nko}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}' +
  '\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}' +
  '\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}]';
const EMOJI = '\\p{Extended_Pictographic}';

const NEEDED = [
  `(?<=${JOINING})[\\u200c\\u200d](?=${JOINING})`,
  // Unicode Technical Standard 51: joined sequences, presentation, keycaps, flags of regions.
  `(?<=(?:${EMOJI}|\\p{Emoji_Modifier})\\ufe0f?)\\u200d(?=${EMOJI})`,
  `(?<=${EMOJI})[\\ufe0e\\ufe0f]`,
  '(?<=[0-9#*])\\ufe0f(?=\\u20e3)',
  '(?<=\\u{1f3f4})[\\u{e0020}-\\u{e007e}]+\\u{e007f}',
  '(?<=\\p{Script=Han})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  '(?<=\\p{Script=Mongolian})[\\u180b-\\u180d\\u180f]',
  // These are of the general category Cf, and are seen.
  '[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}]',
].join('|');

const HIDDEN = '[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\p{Default_Ignorable_Code_Point}]';

const SEARCH = new RegExp(`(${NEEDED})|${HIDDEN}`, 'gu');

/** The text, composed (NFC), with everything that would not be seen written out. */
export function visible(text: string): string {
  return text.normalize('NFC').replace(SEARCH, (found: string, needed: string | undefined) => needed ?? escaped(found));
}

/** Whether it shows all that it holds. */
export function isVisible(text: string): boolean {
  return visible(text) === text.normalize('NFC');
}

/** As {@link visible}, line by line, for text of several lines. Lines after the first are indented: none can pass for one of ours. */
export function visibleLines(text: string, indent = '  '): string {
  return text.split('\n').map(visible).join(`\n${indent}`);
}

/** A value with all of its texts made visible, names of fields included: what a file from elsewhere is before it is shown. */
export function visibleValues<T>(value: T): T {
  if (typeof value === 'string') return visible(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => visibleValues(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [visible(name), visibleValues(one)])) as T;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Made visible (see `visible.ts`) and length bounded, so that a foreign id is safe in a message or a table. */
export function printable(text: string, limit = 80): string {
  const shown = visible(text);
  // Not between the halves of a surrogate pair.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…` : shown;
}
