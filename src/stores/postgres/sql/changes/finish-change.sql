-- The change is in both stores.
-- $1 operation id, $2 details from now on; NULL: they stay
WITH finished AS (
  UPDATE operator_log SET finished_at = coalesce(finished_at, now()), details = coalesce($2::jsonb, details)
  WHERE op_id = $1
  RETURNING coupon_id, epoch, version
)
UPDATE coupons SET version = greatest(coupons.version, finished.version), updated_at = now()
FROM finished WHERE coupons.id = finished.coupon_id AND coupons.epoch = finished.epoch
