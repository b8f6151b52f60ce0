import { usageError } from './errors.ts';

/**
 * A whole number within bounds, written as plain digits (`1e3`, `0x10`, `1_000` and ` 5` are refused).
 *
 * @throws CouponError `BAD_NUMBER`
 */
export function parseWhole(text: string, name: string, min: number, max: number): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw usageError('BAD_NUMBER', `${name}: "${text}" is not a whole number from ${min} to ${max}`, `Give ${name} such a number.`);
  }
  return value;
}

/**
 * A share from 0 to `max`, such as `0.5`.
 *
 * @throws CouponError `BAD_NUMBER`
 */
export function parseShare(text: string, name: string, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) {
    throw usageError('BAD_NUMBER', `${name}: "${text}" is not a number from 0 to ${max}`, `Give ${name} a number such as 0.5.`);
  }
  return value;
}

/**
 * Events per second of `500` or `500/s`.
 *
 * @throws CouponError `BAD_RATE`
 */
export function parseRate(text: string, name = 'rate', max = 1_000_000): number {
  const value = Number(/^(\d{1,7})(?:\/s)?$/.exec(text)?.[1] ?? Number.NaN);
  if (!(value >= 1 && value <= max)) {
    throw usageError('BAD_RATE', `${name}: "${text}" is not a rate`, `Write requests per second from 1 to ${max}, such as 500 or 500/s.`);
  }
  return value;
}
