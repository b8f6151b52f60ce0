-- Keeps every batch of a coupon out until the end of the transaction; the next statement then sees all that was committed before.
-- $1 coupon id, $2 epoch
SELECT 1 FROM coupons WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE
