-- Deletes a range of rows of a coupon that is being reset, and takes them off its count. A range, not a list of users, which could
-- become a scan of all rows of the coupon; no row can be added meanwhile, because the epoch has changed.
-- $1 coupon id, $2 epoch, $3 first user id, $4 last user id
WITH deleted AS (
  DELETE FROM issued_coupons
  USING coupons
  WHERE coupons.id = $1 AND coupons.epoch = $2 AND coupons.state = 'resetting'
    AND issued_coupons.coupon_id = $1 AND issued_coupons.user_id BETWEEN $3 AND $4
  RETURNING 1
)
UPDATE coupons SET issued_quantity = greatest(0, issued_quantity - (SELECT count(*) FROM deleted)), updated_at = now()
WHERE id = $1 AND epoch = $2 AND state = 'resetting'
