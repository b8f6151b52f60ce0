/** A text in quotes, or a number with all that belongs to it. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const MANY_DIGITS = /\d{16}/;
const WHOLE = /^-?(?:0|[1-9]\d*)$/;

/**
 * JSON in which whole numbers that a double would round are text: ids of 17 digits and more would become those of others.
 *
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  // The reviver of Node 20 is not shown the digits.
  return JSON.parse(MANY_DIGITS.test(text) ? text.replace(TOKEN, exactToken) : text);
}

function exactToken(token: string): string {
  return WHOLE.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
