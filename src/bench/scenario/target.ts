import { usageError } from '../../lib/errors.ts';

/**
 * The address that a load goes to, without a trailing slash: `http://127.0.0.1:8080`, `https://shop.example/api`.
 *
 * @throws CouponError `BAD_TARGET`
 */
export function parseTarget(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw usageError(
      'BAD_TARGET',
      'the target is not a plain http:// or https:// address',
      'Write scheme, host, port and at most a path, such as http://127.0.0.1:8080; credentials belong into request.headers.',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
