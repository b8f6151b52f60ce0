-- Marks an issued coupon as used, once.
-- $1 coupon id, $2 user id, $3 use id -> used_at, or no row when it cannot be used (any more)
UPDATE issued_coupons
SET used_at = now(), use_id = $3
WHERE coupon_id = $1 AND user_id = $2
  AND used_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING used_at
