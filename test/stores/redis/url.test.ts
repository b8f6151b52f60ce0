import { expect, it } from 'vitest';
import { CouponError } from '../../../src/lib/errors.ts';
import { parseRedisUrl } from '../../../src/stores/redis/url.ts';

it.each([
  ['redis://h', { host: 'h', port: 6379, db: 0, tls: false }],
  ['redis://h/', { host: 'h', port: 6379, db: 0, tls: false }],
  ['rediss://u:p%40%2F%25@h:7/5', { host: 'h', port: 7, username: 'u', password: 'p@/%', db: 5, tls: true }],
  ['redis://:p@[::1]:7/5?db=5&family=6', { host: '::1', port: 7, password: 'p', db: 5, family: 6, tls: false }],
  ['redis://u@h?db=3', { host: 'h', port: 6379, username: 'u', password: '', db: 3, tls: false }],
])('%s is read', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
});

it.each([
  ['redis://u:S3CRET@h?keyPrefix=x', /keyPrefix/],
  ['redis://u:S3CRET@h?maxRetriesPerRequest=5', /maxRetriesPerRequest/],
  ['redis://u:S3CRET@h?host=other', /parameter host/],
  ['redis://u:S3CRET@h?password=S3CRET', /parameter password/],
  ['redis://u:S3CRET@h/5?db=7', /two databases/],
  ['redis://u:S3CRET@h?db=5&db=5', /twice/],
  ['redis://u:S3CRET@h?family=5', /family/],
  ['redis://u:S3CRET@h/9007199254740993', /database number/],
  ['redis://u:S3CRET@h/-1', /database number/],
  ['redis://u:S3CRET@h/S3CRET', /database number/],
  ['redis://u:S3CRET%zz@h', /% that is no escape/],
  ['redis://S3CRET%:p@h', /% that is no escape/],
  ['redis://h?S3CRET@h', /@ after the host/],
  ['redis://u:1/S3CRET@h', /@ after the host/],
  ['redis://u:1#S3CRET', /# part/],
  ['redis://u:S3/CRET@h', /not a URL/],
  ['redis://h:0', /port/],
  ['S3CRET://h', /not a URL|scheme/],
])('%s is refused, and nothing secret is repeated', (url, message) => {
  let thrown: unknown;
  try {
    parseRedisUrl(url);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CouponError);
  const { code, kind, message: text, fix } = thrown as CouponError;
  expect([code, kind]).toEqual(['BAD_REDIS_URL', 'usage']);
  expect(text).toMatch(message);
  expect(`${text} ${fix}`).not.toMatch(/S3|CRET/i);
});
