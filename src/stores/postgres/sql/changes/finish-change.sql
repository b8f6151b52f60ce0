-- The change is in both stores. The row of the coupon is locked first, as begin-change does, so that the two cannot deadlock.
-- $1 operation id, $2 details from now on; NULL: they stay
WITH coupon AS (
  SELECT coupons.id FROM coupons JOIN operator_log ON operator_log.coupon_id = coupons.id
  WHERE operator_log.op_id = $1 FOR NO KEY UPDATE OF coupons
), finished AS (
  UPDATE operator_log SET finished_at = coalesce(finished_at, now()), details = coalesce($2::jsonb, details)
  FROM (SELECT count(*) FROM coupon) AS locked
  WHERE op_id = $1
  RETURNING coupon_id, epoch, version
)
UPDATE coupons SET version = greatest(coupons.version, finished.version), updated_at = now()
FROM finished WHERE coupons.id = finished.coupon_id AND coupons.epoch = finished.epoch
