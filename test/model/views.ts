/** The campaign as the two stores would be read by an audit. */
import type { RedisTotals } from '../../src/audit/reconcile/coupon.ts';
import type { LedgerCounts } from '../../src/audit/ports.ts';
import type { UserView } from '../../src/audit/reconcile/user.ts';
import type { Command } from './history.ts';
import type { Campaign } from './state.ts';

/** Everything that Redis says about a user. */
export function userView({ redis }: Campaign, userId: string): UserView {
  return {
    admitted: redis.admitted.get(userId) ?? null,
    waiting: redis.waiting.get(userId) ?? null,
    leaseDeadlineMs: redis.leases.get(userId) ?? null,
    claim: redis.claims.get(userId) ?? null,
    dead: redis.dead.get(userId) ?? null,
    issued: redis.issued.get(userId) ?? null,
    occupied: redis.occupied.has(userId) ? { key: userId, found: 'set', expected: 'hash' } : null,
  };
}

/**
 * Findings about users whose issued hash another program kept from being written in this history: they are true, and no loss. A use that could
 * not be written there is missing when a worker writes what it remembers, once the key is free.
 */
export function excusedFindings(history: readonly Command[]): ReadonlySet<string> {
  const occupied = history.flatMap((command) => (command.kind === 'occupy' ? [command.userId] : []));
  return new Set(occupied.flatMap((userId) => ['hash_wrong_type', 'hash_missing', 'hash_mismatch'].map((code) => `${code} ${userId}`)));
}

/** Null: Redis does not have the coupon. */
export function redisTotals({ redis }: Campaign): RedisTotals | null {
  const { coupon } = redis;
  if (!coupon) return null;
  const number = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const version = number(coupon.version) ?? 0;
  const settings = { name: version === 0 ? 'summer' : 'Test', opensAt: '', expiresAt: '', validFor: '' };
  return { ...settings, ...coupon, version, stock: number(coupon.stock), fence: number(coupon.fence) ?? 0, admitted: redis.admitted.size };
}

export function ledgerCounts({ ledger }: Campaign): LedgerCounts {
  const { issuedQuantity, returnedQuantity, rows, maxFence } = ledger;
  const returned = [...rows.values()].filter((row) => row.returned).length;
  return { issuedQuantity, returnedQuantity, rows: rows.size, returned, maxFence };
}
