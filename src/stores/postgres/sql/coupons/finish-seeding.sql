-- The coupon is in both stores now.
-- $1 coupon id, $2 epoch
UPDATE coupons SET state = 'ready', updated_at = now() WHERE id = $1 AND epoch = $2 AND state = 'seeding'
