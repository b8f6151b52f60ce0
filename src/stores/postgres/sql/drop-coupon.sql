-- Last step of a reset. The foreign key refuses it while rows are left.
-- $1 coupon id, $2 epoch of the reset
DELETE FROM coupons WHERE id = $1 AND epoch = $2 AND state = 'resetting'
