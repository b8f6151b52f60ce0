-- Deletes rows of a coupon that is being reset, and keeps the counter right at every step.
-- $1 coupon id, $2 epoch of the reset, $3 user ids
WITH deleted AS (
  DELETE FROM issued_coupons
  USING coupons
  WHERE coupons.id = $1 AND coupons.epoch = $2 AND coupons.state = 'resetting'
    AND issued_coupons.coupon_id = $1 AND issued_coupons.user_id = ANY ($3::text[])
  RETURNING 1
)
UPDATE coupons SET issued_quantity = greatest(0, issued_quantity - (SELECT count(*) FROM deleted)), updated_at = now()
WHERE id = $1 AND epoch = $2 AND state = 'resetting'
