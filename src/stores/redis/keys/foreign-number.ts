const TYPED = /^\[\s*"[\w.$]+"\s*,\s*([^]*?)\s*\]$/;
const WHOLE = /^([+-]?\d+)(?:[lL]|\.0+)?$/;

/** A whole number as a serializer of another program writes it, as `lua/shared/foreign-number.lua` reads it; null: it is none. */
export function readForeignNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  const typed = TYPED.exec(text)?.[1] ?? text;
  const digits = WHOLE.exec(/^"([^]*)"$/.exec(typed)?.[1] ?? typed)?.[1];
  return digits === undefined ? null : Number(digits);
}
