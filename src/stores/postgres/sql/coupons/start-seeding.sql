-- Writes a new coupon in state 'seeding'; does nothing when the id is taken. The second of two reads the first one's row.
-- $1 id, $2 name, $3 total, $4 epoch, $5 key style, $6 opens at, $7 closes at, $8 expires at, $9 valid for (ms)
INSERT INTO coupons (id, name, total_quantity, epoch, state, key_style, opens_at, closes_at, expires_at, valid_for_ms)
VALUES ($1, $2, $3, $4, 'seeding', $5, $6, $7, $8, $9)
ON CONFLICT (id) DO NOTHING
