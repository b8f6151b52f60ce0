-- What a change does to the coupon itself. The version stays: Redis must not look behind before it has followed.
-- $1 coupon id, $2 added to the total, $3 opens at, $4 closes at, $5 expires at, $6 valid for (ms), $7 name, $8 state of the sale; NULL: it stays
UPDATE coupons SET total_quantity = total_quantity + $2, opens_at = $3, closes_at = $4, expires_at = $5, valid_for_ms = $6, name = $7,
  sale_state = coalesce($8, sale_state), updated_at = now()
WHERE id = $1
