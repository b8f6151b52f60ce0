import { describe, expect, it } from 'vitest';
import { CouponError } from '../../../../src/lib/errors.ts';
import { parseRedisUrl } from '../../../../src/stores/redis/connection/url.ts';

function refusal(url: string): CouponError {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (error instanceof CouponError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a Redis URL', () => {
  it.each([
    ['redis://h', { host: 'h', port: 6379, user: null, password: null, database: 0, tls: false, family: 0 }],
    ['redis://h:6390/', { port: 6390, database: 0 }],
    ['REDISS://h/5', { tls: true, database: 5 }],
    ['redis://h?db=5', { database: 5 }],
    ['redis://h/5?db=5&family=6', { database: 5, family: 6 }],
    ['redis://:pw@h', { user: null, password: 'pw' }],
    ['redis://app:pw:x@h', { user: 'app', password: 'pw:x' }],
    ['redis://app:@h', { user: 'app', password: '' }],
    ['redis://:@h', { user: null, password: null }],
    ['redis://app:p%40ss%2Fw%3Ard%25%23%3F%26%C3%A9+@h', { password: 'p@ss/w:rd%#?&é+' }],
    ['redis://:p@ss@h', { host: 'h', password: 'p@ss' }],
    ['redis://[::1]:6390/2', { host: '::1', port: 6390, database: 2 }],
    ['redis://redis_1.coupon-net', { host: 'redis_1.coupon-net' }],
    ['unix:///run/redis.sock', { socket: '/run/redis.sock', database: 0, password: null }],
    ['redis+socket://app:pw@/run/redis.sock?db=3', { socket: '/run/redis.sock', database: 3, user: 'app', password: 'pw' }],
    ['redis://%2Frun%2Fredis.sock', { socket: '/run/redis.sock' }],
    [
      'redis-sentinel://app:pw@a:1,b/2#shop',
      {
        sentinel: {
          hosts: [
            { host: 'a', port: 1 },
            { host: 'b', port: 26_379 },
          ],
          master: 'shop',
          user: null,
          password: null,
        },
        user: 'app',
        password: 'pw',
        database: 2,
        tls: false,
      },
    ],
    ['rediss-sentinel://a/0?sentinelMasterId=m&sentinelPassword=s', { tls: true, sentinel: { master: 'm', password: 's' } }],
    ['redis+sentinel://:pw@a,b/main/3', { sentinel: { master: 'main' }, password: 'pw', database: 3 }],
  ])('%s is read in full', (url, target) => {
    expect(parseRedisUrl(url)).toMatchObject(target);
  });

  it.each([
    ['keyPrefix=shop:', 'keyPrefix', '--key-prefix'],
    ['maxRetriesPerRequest=20', 'maxRetriesPerRequest', 'no command is sent twice'],
    ['enableOfflineQueue=false', 'enableOfflineQueue', 'no command is sent twice'],
    ['autoResendUnfulfilledCommands=true', 'autoResendUnfulfilledCommands', 'no command is sent twice'],
    ['commandTimeout=1', 'commandTimeout', 'no command is sent twice'],
    ['tls=false', 'tls', 'rediss://'],
    ['ssl_cert_reqs=none', 'ssl_cert_reqs', 'NODE_EXTRA_CA_CERTS'],
    ['password=pw', 'password', 'before the host'],
    ['sentinels=x', 'sentinels', 'redis-sentinel://'],
    ['sentinelPassword=x', 'sentinelPassword', 'redis-sentinel://'],
    ['KeyPrefix=x', 'KeyPrefix', 'db and family'],
    ['db=5&db=5', 'db', 'once'],
    ['family=v6', 'family', 'redis://'],
  ])('with ?%s is refused by the name of the parameter', (query, name, fix) => {
    const { code, kind, message, fix: told } = refusal(`redis://h?${query}`);
    expect({ code, kind }).toEqual({ code: 'BAD_REDIS_URL', kind: 'usage' });
    expect(message).toMatch(new RegExp(`the parameter ${name} `));
    expect(told).toContain(fix);
  });

  it.each([
    ['redis:///5', 'names no host'],
    ['redis://', 'names no host'],
    ['redis://h/5?db=7', 'two databases'],
    ['redis://h/five', 'not a number'],
    ['redis://h/-1', 'not a number'],
    ['redis://h/1.5', 'not a number'],
    ['redis://h/5/6', 'not a number'],
    ['redis://h?db=', 'not a number'],
    ['redis://h/99999999999999999999', 'too large'],
    ['redis://h:0', 'port'],
    ['redis://h:70000', 'port'],
    ['redis://h:6379,i:6379', 'several hosts'],
    ['unix://', 'no socket'],
    ['unix://host/run/redis.sock', 'a socket has no host'],
    ['unix:///run/redis.sock?db=x', 'not a number'],
    ['redis+sentinel://h', 'does not name the primary'],
    ['redis-sentinel://h/0', 'does not name the primary'],
    ['redis-sentinel://h/0?sentinelMasterId=a#b', 'two primaries'],
    ['redis-sentinel://h,,i/0#a', 'host of its list is empty'],
    ['redis://h/0#a', 'there is a # in it'],
    ['redis-sentinel://h/x#a', 'not a number'],
    ['http://h', 'redis:// or rediss://'],
    ['h:6379', 'redis:// or rediss://'],
    ['"redis://h"', 'quote'],
    ['redis://h\r', 'line break'],
    [' redis://h', 'space'],
    ['redis://:100%off@h', 'escape'],
    ['redis://:%ff@h', 'UTF-8'],
    ['redis://h?x', 'NAME=VALUE'],
  ])('%s is refused', (url, why) => {
    expect(refusal(url)).toMatchObject({ code: 'BAD_REDIS_URL', kind: 'usage', message: expect.stringContaining(why) });
  });

  it.each(['/', '#', '?'])('with a bare %s in the password is refused with what to write instead', (character) => {
    for (const url of [
      `redis://u:12${character}S3cr3tPw@127.0.0.1:6379`,
      `redis://:p@ss${character}w:rd@h`,
      `redis://:p${character}x@h/5`,
    ]) {
      expect(refusal(url).fix).toContain(`${character} is %`);
    }
  });

  it('is shown without its password', () => {
    expect(parseRedisUrl('rediss://app:S3cr3tPw@[::1]/5?family=6').shown).toBe('rediss://app:***@[::1]:6379/5?family=6');
    expect(parseRedisUrl('redis://:S3cr3tPw@h').shown).toBe('redis://:***@h:6379');
    expect(parseRedisUrl('redis://flag:1').shown).toBe('redis://flag:1');
  });
});
