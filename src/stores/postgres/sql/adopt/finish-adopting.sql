-- The coupon is in both stores now, with all of its users.
-- $1 coupon id, $2 epoch
WITH coupon AS (
  UPDATE coupons SET state = 'ready', updated_at = now() WHERE id = $1 AND epoch = $2 AND state = 'adopting' RETURNING id, epoch
)
UPDATE operator_log SET finished_at = now()
FROM coupon
WHERE operator_log.coupon_id = coupon.id AND operator_log.epoch = coupon.epoch AND kind = 'adopt' AND finished_at IS NULL
