import { isVisible } from './visible.ts';

/**
 * A `coupon-cli` command to be copied into a shell, in backticks. Values are user ids, file names and the like, which other people
 * choose, so each is quoted for a POSIX shell; what stands around them is ours.
 *
 *     command`inspect queue ${couponId} --after ${userId}`
 */
export function command(ours: TemplateStringsArray, ...values: readonly string[]): string {
  let text = '`coupon-cli ';
  for (const [i, part] of ours.entries()) {
    text += part;
    const value = values[i];
    if (value === undefined) continue;
    // Where an option could stand, a value that begins like one needs the end of options before it.
    if (value.startsWith('-') && !/--[a-z-]+[= ]$/.test(text)) text += '-- ';
    text += shellQuoted(value);
  }
  return `${text}\``;
}

/** The same of arguments that are known one by one: options that may be left out, for example. */
export function commandOf(args: readonly string[]): string {
  return `\`coupon-cli ${args.map(shellQuoted).join(' ')}\``;
}

/** One argument of a POSIX shell. Plain values stay as they are. */
export function shellQuoted(value: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  // Neither a backtick, which ends the command in our own text, nor what no terminal shows may be there raw.
  if (isVisible(value) && !value.includes('`')) return `'${value.replaceAll("'", `'\\''`)}'`;
  return `"$(printf '${octal(value)}')"`;
}

/** For printf: bytes that are not plain become `\ooo`, which is all that every printf knows. */
function octal(value: string): string {
  let text = '';
  for (const byte of new TextEncoder().encode(value)) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9_@+=:,./ ;$()|<>#"&*?~]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return text;
}
