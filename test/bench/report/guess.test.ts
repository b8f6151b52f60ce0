import { expect, test } from 'vitest';
import { guess } from '../../../src/bench/report/guess.ts';

const json = (body: unknown, status = 200) => ({ status, contentType: 'application/json', body: JSON.stringify(body) });

test.each<[string, Parameters<typeof guess>[0], string | null]>([
  [
    'success as a field',
    json({ success: true }),
    'a rule for it could be `outcomes: { accepted: { status: 200, json: { path: success, equals: true } } }`',
  ],
  [
    'a refusal in words',
    json({ message: 'coupon is sold out' }),
    'a rule for it could be `outcomes: { sold_out: { status: 200, json: { path: message, equals: "coupon is sold out" } } }`',
  ],
  [
    'a refusal in Korean',
    json({ code: '이미 발급' }),
    'a rule for it could be `outcomes: { duplicate: { status: 200, json: { path: code, equals: "이미 발급" } } }`',
  ],
  ['a limiter', { status: 429, contentType: null, body: '' }, 'a rule for it could be `outcomes: { rate_limited: { status: 429 } }`'],
  [
    'a login',
    { status: 403, contentType: null, body: '', headers: { 'www-authenticate': 'Bearer' } },
    'the service wants to know who asks: set request.headers',
  ],
  [
    'a redirect',
    { status: 307, contentType: null, body: '', headers: { location: '/v2/coupons' } },
    'a redirect to /v2/coupons: point target or request.path there',
  ],
  [
    'a wrong path',
    { status: 404, contentType: 'text/html', body: '<html>' },
    'the path or the method may be wrong: see request.path and request.method',
  ],
  [
    'a body that it does not take',
    { status: 422, contentType: null, body: '' },
    'the service does not take the request as it is: see request.path, request.json and request.headers',
  ],
  ['a failure', { status: 502, contentType: 'text/html', body: 'Bad Gateway' }, 'the service failed; its log says why'],
  [
    'text that says it',
    { status: 409, contentType: 'text/plain', body: 'already issued' },
    'a rule for it could be `outcomes: { duplicate: { status: 409 } }`',
  ],
  ['nothing to go by', { status: 299, contentType: null, body: '' }, null],
])('%s', (_what, reply, said) => {
  expect(guess(reply)).toBe(said);
});
