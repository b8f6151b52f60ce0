import { describe, expect, it } from 'vitest';
import { checkDefinition, definitionDifferences, scoreToDate, scoreToMicros, type CouponDefinition } from '../../src/campaign/coupon.ts';

const summer: CouponDefinition = { id: '42', name: '여름맞이 쿠폰', total: 100, opensAt: null, closesAt: null, expiry: { kind: 'never' } };
const at = (iso: string): Date => new Date(iso);

describe('a definition', () => {
  it('keeps Hangul in composed form', () => {
    expect(checkDefinition({ ...summer, name: ` ${summer.name.normalize('NFD')} ` }).name).toBe(summer.name);
  });

  it.each([
    ['BAD_TOTAL', { total: -1 }],
    ['BAD_TOTAL', { total: 1.5 }],
    ['BAD_TOTAL', { total: 100_000_001 }],
    ['BAD_NAME', { name: '  ' }],
    ['BAD_NAME', { name: 'a\u001b[2J' }],
    ['BAD_NAME', { name: 'x'.repeat(201) }],
    ['BAD_WINDOW', { opensAt: at('2026-12-24'), closesAt: at('2026-12-24') }],
    ['BAD_WINDOW', { opensAt: at('2026-12-25'), closesAt: at('2026-12-24') }],
    ['BAD_EXPIRY', { expiry: { kind: 'after', ms: 0 } as const }],
    ['BAD_EXPIRY', { closesAt: at('2026-12-24'), expiry: { kind: 'at', at: at('2026-12-23') } as const }],
  ])('is refused as %s for %o', (code, change) => {
    expect(() => checkDefinition({ ...summer, ...change })).toThrow(expect.objectContaining({ code, kind: 'usage' }));
  });

  it('that differs from the stored one is explained field by field', () => {
    expect(definitionDifferences(summer, { ...summer })).toEqual([]);
    expect(definitionDifferences(summer, { ...summer, total: 200, expiry: { kind: 'after', ms: 86_400_000 } })).toEqual([
      { field: 'stock', stored: '100', wanted: '200' },
      { field: 'expiry', stored: '(never)', wanted: '1d after issue' },
    ]);
  });
});

describe('a queue score', () => {
  it('is seconds, milliseconds or microseconds by its size', () => {
    const us = 1_795_330_311_082_492;
    expect([us, 1_795_330_311_082, 1_795_330_311].map(scoreToMicros)).toEqual([us, 1_795_330_311_082_000, 1_795_330_311_000_000]);
    expect(scoreToDate(us)?.toISOString()).toBe('2026-11-22T06:51:51.082Z');
  });
});
