import { randomBytes } from 'node:crypto';

/**
 * Ids for requests that came without one: 6 random characters for the process, and a count. They are compared only among requests of
 * one user for one coupon. Every accepted user keeps one in Redis, where a UUID would take 32 bytes more; see docs/operations.md.
 *
 * @returns 1–14 visible ASCII characters, without blanks or colons
 */
export function requestIds(): () => string {
  const process = randomBytes(5).toString('base64url').slice(0, 6);
  let count = 0;
  return () => {
    count += 1;
    return process + count.toString(36);
  };
}
