import { describe, expect, test } from 'vitest';
import { CouponError } from '../../../src/lib/errors.ts';
import { parseScenario, type Scenario } from '../../../src/bench/scenario/scenario.ts';

const read = (changes: object): Scenario =>
  parseScenario(
    JSON.stringify({ version: 1, name: 's', coupons: [{ id: 'a', total: 1 }], users: { count: 1 }, phases: [{ vus: 1 }], ...changes }),
    'f.yaml',
  );

function problem(changes: object): string {
  try {
    read(changes);
    return '';
  } catch (error) {
    if (error instanceof CouponError) return error.why ?? '';
    throw error;
  }
}

describe('where the truth is read', () => {
  test('without a word the stores of this project, which are quiet soon', () => {
    expect(read({})).toMatchObject({ evidence: { kind: 'own' }, settle: { quietForMs: 500 }, probe: { path: '/readyz', status: null } });
  });

  test('keys of another service, by default those of the report; its scheduler gets more time', () => {
    expect(read({ verify: { redis: {} } })).toMatchObject({
      evidence: {
        kind: 'foreign',
        issued: null,
        redis: {
          coupon: 'coupon:{couponId}',
          queue: 'coupon_waiting_queue:{couponId}',
          issued: 'issued_coupon:coupon:{couponId}-user:{userId}',
          stockField: 'stock',
        },
      },
      settle: { quietForMs: 5_000 },
    });
  });

  test('keys that it does not have are null, and literal braces are a hash tag', () => {
    const { evidence } = read({ verify: { redis: { keys: { coupon: null, queue: 'q:{{couponId}}' } } } });
    expect(evidence).toMatchObject({ redis: { coupon: null, queue: 'q:{{couponId}}' } });
  });

  test('a query, an export, or the replies alone', () => {
    const query = 'SELECT user_id FROM t WHERE coupon = $1';
    expect(read({ verify: { sql: { query } } }).evidence).toMatchObject({ redis: null, issued: { kind: 'sql', query, timeoutMs: 30_000 } });
    expect(read({ verify: { csv: 'out/{couponId}.csv' } }).evidence).toMatchObject({ issued: { kind: 'csv', path: 'out/{couponId}.csv' } });
    expect(read({ verify: { replies: true } }).evidence).toEqual({ kind: 'foreign', redis: null, issued: null, stock: null });
  });

  test('a probe of one status or several', () => {
    expect(read({ probe: { path: '/health', status: 200 } }).probe).toEqual({ path: '/health', status: [200] });
    expect(read({ probe: { status: [200, 204] } }).probe).toEqual({ path: '/readyz', status: [200, 204] });
  });

  test.each([
    ['two lists', { verify: { csv: 'a.csv', sql: { query: 'SELECT $1' } } }, 'keep one of them'],
    ['the replies alone, and more', { verify: { replies: true, redis: {} } }, 'the replies alone'],
    ['a query for no coupon', { verify: { sql: { query: 'SELECT 1' } } }, 'needs $1'],
    ['an issued key for nobody', { verify: { redis: { keys: { issued: 'issued:{couponId}' } } } }, 'needs {userId}'],
    ['a variable that is not there', { verify: { redis: { keys: { queue: 'q:{couponID}' } } } }, 'there is no {couponID}'],
    ['a user in the queue’s key', { verify: { redis: { keys: { queue: 'q:{userId}' } } } }, 'there is no {userId}'],
    [
      'one key for several coupons',
      { verify: { redis: { keys: { queue: 'q' } } }, coupons: ['a', 'b'].map((id) => ({ id, total: 1 })) },
      'needs {couponId}',
    ],
    ['a key that is not there', { verify: { redis: { keys: { stok: 's' } } } }, 'is an unknown key'],
  ])('%s: refused', (_, changes, text) => expect(problem(changes)).toContain(text));
});
