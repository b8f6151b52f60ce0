import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { isConflict, refusalOf, scopeOf } from '../../../../src/stores/postgres/connection/refusal.ts';

function answer(code: string, more: Partial<DatabaseError> = {}): DatabaseError {
  return Object.assign(new DatabaseError('told', 4, 'error'), { code, ...more });
}

describe('what PostgreSQL refuses', () => {
  it.each([
    ['row', ['P0001', 'P0000', '22003', '22P02', '23502', '23505', '23514', '42501', '44000', '21000', '27000', '38000', 'UE001', '']],
    ['statement', ['42P01', '42883', '42703', '0A000', '25000', '25P01', '54000', '55000', 'F0000', 'XX000', '3F000']],
    ['moment', ['40001', '40P01', '40003', '55P03', '57014']],
    ['outage', ['08006', '08P01', '28P01', '3D000', '53100', '53300', '57P01', '57P03', '58030', '25006', '25P03']],
  ])('speaks of a %s by its SQLSTATE', (scope, codes) => {
    for (const code of codes) expect([code, scopeOf(code)]).toEqual([code, scope]);
  });

  it('is a guard only by our own constraints', () => {
    expect(refusalOf(answer('23514', { constraint: 'coupons_total', table: 'coupons' }))).toEqual({
      status: 'guarded',
      constraint: 'coupons_total',
    });
    expect(refusalOf(answer('23503', { constraint: 'issued_coupons_coupon_id_fkey', table: 'issued_coupons' }))).toEqual({
      status: 'guarded',
      constraint: 'foreign_key',
    });
    expect(refusalOf(answer('23514', { constraint: 'coupons_total', table: 'budgets' }))).toMatchObject({
      status: 'refused',
      scope: 'row',
    });
    expect(refusalOf(answer('23503', { constraint: 'has_account', table: 'issued_coupons' }))).toEqual({
      status: 'refused',
      scope: 'row',
      reason: '23503 has_account: told',
    });
  });

  it('is told in one printable line', () => {
    const error = answer('P0001', { message: `a\n\u001b[2J${'x'.repeat(400)}` });
    const refusal = refusalOf(error);
    expect(refusal).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^P0001 a\\x0a\\x1b\[2Jx+…$/) });
    expect(refusal.status === 'refused' && refusal.reason.length).toBeLessThanOrEqual(200);
  });

  it('is no refusal when PostgreSQL said nothing', () => {
    expect(refusalOf(new Error('Connection terminated'))).toEqual({ status: 'outage' });
    expect([answer('40001'), answer('40P01'), answer('40003'), new Error('40001')].map(isConflict)).toEqual([true, true, false, false]);
  });
});
