import { describe, expect, it } from 'vitest';
import type { CouponError } from '../../src/lib/errors.ts';
import { parseEvent } from '../../src/campaign/event.ts';
import { parseScenario } from '../../src/bench/scenario/scenario.ts';

const event = (id: string, before = '') => parseEvent(`${before}coupons:\n  - {id: ${id}, name: A, total: 5}\n`, 'event.yaml');
const problem = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as CouponError).why ?? '';
  }
  return '';
};

describe('the id of a coupon in a file', () => {
  it.each(['0042', '42', '1e3', '0x1F', '010', '0o17', '1.0', '12345678901234567890', 'true', 'null'])(
    '%s is the text as written',
    (id) => {
      expect(event(id).map((coupon) => coupon.id)).toEqual([id]);
    },
  );

  it('is the same in a scenario', () => {
    const scenario = (id: string) =>
      `version: 1\nname: x\ncoupons:\n  - {id: ${id}, total: 5}\nusers: {count: 5}\nphases:\n  - {executor: shared-iterations, vus: 1, iterations: 5, maxDuration: 5s}\n`;
    const ids = ['0042', '1e3'].map((id) => parseScenario(scenario(id), 's.yaml').coupons.map((coupon) => coupon.id));
    expect(ids).toEqual([['0042'], ['1e3']]);
  });

  it('may be quoted, stand in JSON, and come through an alias of another id', () => {
    expect(parseEvent('{"coupons": [{"id": 7, "name": "A", "total": 5}, {"id": "8", "name": "B", "total": 5}]}', 'e')).toMatchObject([
      { id: '7' },
      { id: '8' },
    ]);
    expect(parseEvent('coupons:\n  - &a {id: 010, name: A, total: 5}\n', 'e')).toMatchObject([{ id: '010' }]);
  });

  it('that is a number by way of an alias is refused', () => {
    expect(problem(() => parseEvent('coupons:\n  - {total: &n 0042, id: *n, name: A}\n', 'e'))).toContain('quote it');
  });

  it.each([
    ['7 and "7"', '{id: 7, name: A, total: 5}', '{id: "7", name: B, total: 5}'],
    ['0042 twice', '{id: 0042, name: A, total: 5}', '{id: 0042, name: A, total: 5}'],
  ])('is there twice with %s', (_name, one, two) => {
    expect(problem(() => parseEvent(`coupons:\n  - ${one}\n  - ${two}\n`, 'e'))).toContain('is there twice');
  });

  it('042 and 42 are two coupons', () => {
    expect(parseEvent('coupons:\n  - {id: 042, name: A, total: 5}\n  - {id: 42, name: B, total: 5}\n', 'e')).toHaveLength(2);
  });
});
