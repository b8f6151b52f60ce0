import { describe, expect, it } from 'vitest';
import { judgeRepair, type Robbed } from './repair-oracle.ts';

const plan = { steps: [], manual: [], takesAway: [], deadLetters: [], mayBeMissing: [] };
const robbed: Robbed = { id: 'sale', destroyed: 3, noticed: 'gone', state: 'paused' };

describe('the oracle of a repair', () => {
  it('is content with a repair that names the missing users and leaves the coupon paused', () => {
    expect(judgeRepair({ ok: false, plan: { ...plan, mayBeMissing: [{ couponId: 'sale', upTo: 5 }] } }, [robbed])).toEqual([]);
    expect(judgeRepair({ ok: true, plan }, [{ ...robbed, destroyed: 0, noticed: null, state: 'open' }])).toEqual([]);
  });

  it.each([
    ['takes users away', { ok: false, plan: { ...plan, takesAway: [{ couponId: 'sale', users: ['a'] }] } }, { ...robbed, destroyed: 0 }],
    ['puts what was promised on sale again without a word', { ok: true, plan }, { ...robbed, state: 'open' }],
    ['speaks of too few', { ok: false, plan: { ...plan, mayBeMissing: [{ couponId: 'sale', upTo: 2 }] } }, robbed],
    ['opens the coupon', { ok: false, plan: { ...plan, mayBeMissing: [{ couponId: 'sale', upTo: 5 }] } }, { ...robbed, state: 'open' }],
    ['says that all is well', { ok: true, plan: { ...plan, mayBeMissing: [{ couponId: 'sale', upTo: 5 }] } }, robbed],
  ])('finds a repair that %s', (_name, report, coupon) => {
    expect(judgeRepair(report, [coupon])).toHaveLength(1);
  });
});
