-- Last step of a reset; its own epoch is over, too. The foreign key refuses it while rows are left.
-- $1 coupon id, $2 epoch of the reset
WITH dropped AS (
  DELETE FROM coupons WHERE id = $1 AND epoch = $2 AND state = 'resetting' RETURNING id, epoch
)
INSERT INTO coupon_ended_epochs (coupon_id, epoch) SELECT id, epoch FROM dropped ON CONFLICT (coupon_id, epoch) DO NOTHING
