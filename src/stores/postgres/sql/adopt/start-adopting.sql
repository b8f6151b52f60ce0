-- Writes a coupon in state 'adopting', and that it is being adopted, in one statement; does nothing when the id is taken.
-- $1 id, $2 name, $3 total, $4 epoch, $5 key style, $6 opens at, $7 closes at, $8 expires at, $9 valid for (ms), $10 field of the stock, or
-- NULL, $11 state of the sale, $12 operation id, $13 details, $14 by whom
WITH coupon AS (
  INSERT INTO coupons
    (id, name, total_quantity, epoch, state, key_style, opens_at, closes_at, expires_at, valid_for_ms, shared_stock_field, sale_state)
  VALUES ($1, $2, $3, $4::uuid, 'adopting', $5, $6, $7, $8, $9, $10, $11)
  ON CONFLICT (id) DO NOTHING
  RETURNING id, epoch, version
)
INSERT INTO operator_log (op_id, coupon_id, epoch, kind, details, version, by_whom)
SELECT $12::uuid, id, epoch, 'adopt', $13::jsonb, version, $14::text FROM coupon
