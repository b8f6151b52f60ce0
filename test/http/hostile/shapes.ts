/** What strangers send. Each shape has the one right answer. */

export interface Shape {
  name: string;
  /** What goes over the wire; `n` is another number each time. */
  text: (n: number) => string;
  status: number;
  /** Of the problem document; left out where the answer is none. */
  code?: string;
  /** The user who is accepted by it. */
  admits?: (n: number) => string;
}

const HEAD = 'Host: shop.example\r\n';
export const COUPON = 'c';

/** A request with the body as it is. */
export function post(body: string, { path = `/coupons/${COUPON}/requests`, type = 'application/json', extra = '' } = {}): string {
  const length = Buffer.byteLength(body, 'latin1');
  return `POST ${path} HTTP/1.1\r\n${HEAD}${extra}Content-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const bare = (method: string, path: string, extra = ''): string => `${method} ${path} HTTP/1.1\r\n${HEAD}${extra}\r\n`;
const user = (id: string): string => JSON.stringify({ userId: id });

const START = `POST /coupons/${COUPON}/requests HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n`;

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

const invalid = (name: string, text: Shape['text']): Shape => ({ name, text, status: 400, code: 'invalid_request' });
const missing = (name: string, text: Shape['text']): Shape => ({ name, text, status: 404, code: 'not_found' });
const body = (name: string, text: string): Shape => invalid(name, () => post(text));

/** What is no JSON is not read any further. */
const noJson: Shape[] = [
  body('half an object', '{"userId":'),
  body('no JSON', 'userId=kim'),
  body('JSON5', "{userId:'kim'}"),
  body('two documents', '{"userId":"a"}{"userId":"b"}'),
  body('a comma too many', '{"userId":"a",}'),
  body('a NUL behind it', '{"userId":"a"}\u0000'),
  body('UTF-16', '\xff\xfe{\x00}\x00'),
  body('a document of nesting', '['.repeat(5_000)),
  body('a prototype', '{"userId":"kim","__proto__":{"x":1}}'),
  body('an escaped prototype', '{"userId":"kim","\\u005f_proto__":{"x":1}}'),
  body('a constructor', '{"userId":"kim","constructor":{"prototype":{"x":1}}}'),
];

const badBodies: Shape[] = [
  body('broken UTF-8', '{"userId":"\xc3\x28"}'),
  body('nesting that is closed', `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`),
  body('nothing', ''),
  body('null', 'null'),
  body('a number', '17'),
  body('a list', '["kim"]'),
  body('no user', '{}'),
  body('null as user', '{"userId":null}'),
  body('true as user', '{"userId":true}'),
  body('a list as user', '{"userId":["kim"]}'),
  body('an object as user', '{"userId":{"$ne":""}}'),
  body('a fraction', '{"userId":1.5}'),
  body('beyond 2^53', '{"userId":9007199254740993}'),
  body('beyond all numbers', '{"userId":1e400}'),
  body('an empty user', user('')),
  body('a long user', user('x'.repeat(129))),
];

const injected: Shape[] = [
  body('a hash tag', user('kim{c}')),
  body('an open brace', user('{')),
  body('a newline', user('kim\nDEL coupon:c')),
  body('CRLF and a command of Redis', user('kim\r\n*1\r\n$8\r\nFLUSHALL\r\n')),
  body('an escape sequence', user('\u001b]0;owned\u0007\u001b[2J')),
  body('a NUL', user('kim\u0000')),
  body('a delete', user('kim\u007f')),
  body('a blank', user('kim lee')),
  body('right to left', '{"userId":"\\u202ekim"}'),
  body('a lone surrogate', '{"userId":"\\ud800"}'),
  body('a quote of a serializer', user('"kim"')),
  body('bytes of a serializer', user('\\xac\\xed\\x00\\x05t')),
  invalid('a key with a newline', (n) => post(user(`kim${n}`), { extra: 'Idempotency-Key: a b\r\n' })),
  invalid('a key without end', (n) => post(user(`kim${n}`), { extra: `Idempotency-Key: ${'k'.repeat(129)}\r\n` })),
  ...['*', '%2A', 'c%3A42', 'c*', '%7Bc%7D', 'c%0d%0a', 'c%00', 'c%1b[2J', '-c', '.', 'c'.repeat(65), '%2e%2e%2fcoupon_index', 'c%20'].map(
    (id) => invalid(`coupon ${id.slice(0, 20)}`, (n) => post(user(`kim${n}`), { path: `/coupons/${id}/requests` })),
  ),
  invalid('no coupon', () => bare('GET', '/coupons/')),
  invalid('a path that is no text', (n) => post(user(`kim${n}`), { path: '/coupons/%zz/requests' })),
  invalid('a path of broken UTF-8', (n) => post(user(`kim${n}`), { path: '/coupons/%c3%28/requests' })),
  ...['%0a', '%1b%5b2J', '%7Bc%7D', '%00', 'kim%20lee', '%22kim%22', '%E2%80%AEkim'].map((id) =>
    invalid(`status of ${id}`, () => bare('GET', `/coupons/${COUPON}/requests/${id}`)),
  ),
  ...['%0a', '%1b%5b2J', '%7Bc%7D'].map((id) => invalid(`use by ${id}`, () => bare('POST', `/coupons/${COUPON}/issued/${id}/use`))),
  // These are ids: they must reach one member of one queue, and nothing else.
  ...['*', ':', 'issued_coupon:coupon:c-user:', '..%2f', "';DROP/**/TABLE/**/coupons;--", '$(reboot)`', '[a-z]?*', '<script>'].map(
    (odd): Shape => {
      // A bracket at the beginning is refused, so the number comes first.
      const id = (n: number): string => `${n}${odd}`;
      return { name: `user ${odd}`, text: (n) => post(user(id(n))), status: 202, admits: id };
    },
  ),
  { name: 'a star nobody asked for', text: () => bare('GET', `/coupons/${COUPON}/requests/*`), status: 404, code: 'not_requested' },
  { name: 'a coupon of the prototype', text: () => bare('GET', '/coupons/constructor'), status: 404, code: 'unknown_coupon' },
  {
    name: 'an unknown coupon',
    text: (n) => post(user(`kim${n}`), { path: `/coupons/none${n}/requests` }),
    status: 404,
    code: 'unknown_coupon',
  },
  { name: 'use of nothing', text: () => bare('POST', `/coupons/${COUPON}/issued/*/use`), status: 404, code: 'not_issued' },
];

const routes: Shape[] = [
  missing('another path', () => bare('GET', '/admin')),
  missing('a path above', () => bare('GET', '/coupons/../../etc/passwd')),
  missing('two slashes', () => bare('GET', `//coupons/${COUPON}`)),
  missing('a file', () => bare('GET', '/.env')),
  missing('a longer path', () => bare('GET', `/coupons/${COUPON}/requests/a/b`)),
  missing('another host', () => bare('GET', 'http://169.254.169.254/latest/meta-data')),
  ...['PUT', 'DELETE', 'PATCH'].map((method): Shape => ({
    name: method,
    text: () => `${method} /coupons/${COUPON} HTTP/1.1\r\n${HEAD}Content-Length: 2\r\n\r\n{}`,
    status: 405,
    code: 'method_not_allowed',
  })),
  { name: 'a GET of a POST', text: () => bare('GET', `/coupons/${COUPON}/requests`), status: 405, code: 'method_not_allowed' },
  { name: 'a path without end', text: () => bare('GET', `/coupons/${'x'.repeat(2_000)}`), status: 414, code: 'uri_too_long' },
  {
    name: 'a form',
    text: () => post('userId=kim', { type: 'application/x-www-form-urlencoded' }),
    status: 415,
    code: 'unsupported_media_type',
  },
  { name: 'XML', text: () => post('<a/>', { type: 'text/xml' }), status: 415, code: 'unsupported_media_type' },
  { name: 'a type that is none', text: () => post('{}', { type: 'json' }), status: 415, code: 'unsupported_media_type' },
  {
    name: 'a compressed body',
    text: () => post('\x1f\x8b\x08', { extra: 'Content-Encoding: gzip\r\n' }),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a body that is compressed on the way',
    text: () => `${START}Transfer-Encoding: gzip, chunked\r\n\r\n${chunk(user('smuggled'))}`,
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'another site',
    text: (n) => post(user(`kim${n}`), { extra: 'Origin: https://evil.example\r\n' }),
    status: 403,
    code: 'forbidden',
  },
];

/** Answered, and then the connection is good for more. */
export const KEPT: readonly Shape[] = [...badBodies, ...injected, ...routes];

const HIDDEN = post(user('smuggled'));

/** After which the connection is closed: whoever guesses where such a request ends may read another one out of it. */
export const CLOSING: readonly Shape[] = [
  ...noJson,
  invalid('length and chunks', () => `${START}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  invalid('chunks and length', () => `${START}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunk(HIDDEN)}`),
  invalid('two lengths', () => `${START}Content-Length: 2\r\nContent-Length: ${HIDDEN.length + 2}\r\n\r\n{}${HIDDEN}`),
  invalid('a list of lengths', () => `${START}Content-Length: 2, 2\r\n\r\n{}${HIDDEN}`),
  invalid('a negative length', () => `${START}Content-Length: -1\r\n\r\n${HIDDEN}`),
  invalid('a signed length', () => `${START}Content-Length: +2\r\n\r\n{}${HIDDEN}`),
  invalid('a hexadecimal length', () => `${START}Content-Length: 0x2\r\n\r\n{}${HIDDEN}`),
  invalid('a length beyond all numbers', () => `${START}Content-Length: 99999999999999999999999\r\n\r\n${HIDDEN}`),
  invalid('chunked, but not at the end', () => `${START}Transfer-Encoding: chunked, identity\r\n\r\n${chunk('{}')}${HIDDEN}`),
  invalid('chunked, misspelt', () => `${START}Transfer-Encoding: xchunked\r\n\r\n${chunk('{}')}${HIDDEN}`),
  invalid('chunked twice', () => `${START}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunk('{}')}${HIDDEN}`),
  invalid('a blank before the colon', () => `${START}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`),
  invalid('a folded header', () => `${START}X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}${HIDDEN}`),
  invalid('a folded length', () => `${START}Content-Length:\r\n 2\r\n\r\n{}${HIDDEN}`),
  invalid('a bare LF after a header', () => `${START}X: a\nContent-Length: 2\r\n\r\n{}${HIDDEN}`),
  invalid('bare LF everywhere', () => HIDDEN.replaceAll('\r\n', '\n')),
  invalid('a bare CR', () => `${START}X: a\rContent-Length: 2\r\n\r\n{}${HIDDEN}`),
  invalid('a NUL in a header', () => `${START}X: \u0000\r\nContent-Length: 2\r\n\r\n{}`),
  invalid('an escape sequence in a header', () => `${START}X: \u001b[2J\r\nContent-Length: 2\r\n\r\n{}`),
  invalid('a chunk that has no length', () => `${START}Transfer-Encoding: chunked\r\n\r\nzz\r\n${HIDDEN}`),
  invalid('a chunk with a blank', () => `${START}Transfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n${HIDDEN}`),
  invalid('a chunk longer than said', () => `${START}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${HIDDEN}`),
  invalid('a method that is none', () => `KILL / HTTP/1.1\r\n${HEAD}\r\n${HIDDEN}`),
  invalid('no HTTP', () => 'how do you do?\r\n\r\n'),
  invalid('TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  invalid('the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  invalid('another version', () => `GET /livez HTTP/3.0\r\n${HEAD}\r\n`),
  invalid('a version of another protocol', () => `GET /livez HTTP/2.0\r\n${HEAD}\r\n`),
  invalid('no version', () => `GET /livez\r\n\r\n`),
  invalid('a command of Redis', () => '*1\r\n$8\r\nFLUSHALL\r\n'),
  {
    name: 'a header without end',
    text: () => bare('GET', '/livez', `X: ${'x'.repeat(17_000)}\r\n`),
    status: 431,
    code: 'headers_too_large',
  },
  { name: 'many headers', text: () => bare('GET', '/livez', 'X-A: aaaaaaaa\r\n'.repeat(1_500)), status: 431, code: 'headers_too_large' },
  { name: 'a huge body', text: () => post(`{"userId":"${'x'.repeat(20_000)}"}`), status: 413, code: 'payload_too_large' },
  {
    name: 'a body of a gigabyte',
    text: () => `${START}Content-Length: 1000000000\r\n\r\n{"userId":"kim`,
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'a huge chunk',
    text: () => `${START}Transfer-Encoding: chunked\r\n\r\n${chunk(`{"userId":"${'x'.repeat(20_000)}"}`)}`,
    status: 413,
    code: 'payload_too_large',
  },
  { name: 'an expectation', text: () => post('{}', { extra: 'Expect: tea\r\n' }), status: 417, code: 'expectation_failed' },
  {
    name: 'CONNECT',
    text: () => `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`,
    status: 405,
    code: 'method_not_allowed',
  },
  { name: 'no Host', text: () => `GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n`, status: 400, code: 'invalid_request' },
];
