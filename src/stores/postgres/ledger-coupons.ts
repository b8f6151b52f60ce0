import type { ResetLedger, SeedLedger } from '../../operate/ports.ts';
import type { LedgerCoupon, LedgerReader, LedgerState } from '../../campaign/ports/ledger.ts';
import type { CouponDefinition, Expiry } from '../../campaign/coupon.ts';
import type { Database } from './connection/database.ts';
import { statement } from './statements.ts';

interface CouponRow {
  id: string;
  name: string;
  total_quantity: number;
  issued_quantity: number;
  returned_quantity: number;
  max_fence: string;
  min_fence: string;
  epoch: string;
  version: number;
  state: LedgerState;
  key_style: string;
  opens_at: Date | null;
  closes_at: Date | null;
  expires_at: Date | null;
  valid_for_ms: string | null;
  may_be_missing: number | null;
  shared_stock_field: string | null;
  sale_state: LedgerCoupon['saleState'];
}

type CouponPart = Pick<LedgerReader, 'coupons' | 'coupon'> & SeedLedger & ResetLedger;

/** The `coupons` table. */
export function ledgerCoupons(database: Database): CouponPart {
  const coupon = async (couponId: string): Promise<LedgerCoupon | null> => {
    const [row] = await database.query<CouponRow>(statement('find-coupon', [couponId]));
    return row ? toCoupon(row) : null;
  };

  return {
    coupons: async () => (await database.query<CouponRow>(statement('find-coupons'))).map(toCoupon),
    coupon,

    async trySeeding(definitions, epoch, keyStyle) {
      let tried: string | null = null;
      try {
        await database.transaction(
          async (client) => {
            for (const definition of definitions) {
              tried = definition.id;
              await client.query(statement('start-seeding', seedingValues(definition, epoch, keyStyle)));
              await client.query(statement('finish-seeding', [definition.id, epoch]));
            }
          },
          { end: () => 'ROLLBACK' },
        );
        return null;
      } catch (error) {
        return { couponId: tried, error: database.explain(error) };
      }
    },

    async startSeeding(definition, epoch, keyStyle) {
      await database.execute(statement('start-seeding', seedingValues(definition, epoch, keyStyle)));
      const stored = await coupon(definition.id);
      if (!stored) throw new Error(`coupon ${definition.id} vanished between two statements`);
      return stored;
    },

    async finishSeeding(couponId, epoch) {
      return (await database.execute(statement('finish-seeding', [couponId, epoch]))) > 0;
    },

    async undoSeeding(couponId, epoch) {
      await database.execute(statement('undo-seeding', [couponId, epoch]));
    },

    endedEpochs: (couponId) => endedEpochs(database, couponId),

    async startReset(couponId, epoch) {
      await database.execute(statement('start-reset', [couponId, epoch]));
      return coupon(couponId);
    },

    async deleteIssued(couponId, epoch, firstUserId, lastUserId) {
      await database.execute(statement('delete-issued', [couponId, epoch, firstUserId, lastUserId]));
    },

    async dropCoupon(couponId, epoch) {
      await database.execute(statement('drop-coupon', [couponId, epoch]));
    },
  };
}

export function seedingValues(definition: CouponDefinition, epoch: string, keyStyle: string): unknown[] {
  const { id, name, total, opensAt, closesAt, expiry } = definition;
  const expiresAt = expiry.kind === 'at' ? expiry.at : null;
  const validForMs = expiry.kind === 'after' ? expiry.ms : null;
  return [id, name, total, epoch, keyStyle, opensAt, closesAt, expiresAt, validForMs];
}

function toCoupon(row: CouponRow): LedgerCoupon {
  return {
    id: row.id,
    name: row.name,
    total: row.total_quantity,
    opensAt: row.opens_at,
    closesAt: row.closes_at,
    expiry: toExpiry(row),
    issuedQuantity: row.issued_quantity,
    returnedQuantity: row.returned_quantity,
    maxFence: Number(row.max_fence),
    minFence: Number(row.min_fence),
    epoch: row.epoch,
    version: row.version,
    state: row.state,
    keyStyle: row.key_style,
    mayBeMissing: row.may_be_missing,
    sharedStockField: row.shared_stock_field,
    saleState: row.sale_state,
  };
}

function toExpiry(row: CouponRow): Expiry {
  if (row.expires_at) return { kind: 'at', at: row.expires_at };
  return row.valid_for_ms === null ? { kind: 'never' } : { kind: 'after', ms: Number(row.valid_for_ms) };
}

/** Epochs of a coupon that a reset of this ledger has ended. */
export async function endedEpochs(database: Database, couponId: string): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ epoch: string }>(statement('ended-epochs', [couponId]));
  return new Set(rows.map((row) => row.epoch));
}
