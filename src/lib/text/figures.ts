/** `12,345`, the same on every machine. */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** Three significant digits are what the histograms have. */
export function figure(value: number): string {
  if (value !== 0 && Math.abs(value) < 100) return String(Number(value.toPrecision(3)));
  return number(Math.round(value));
}

/** `1 user`, `12,345 users`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
