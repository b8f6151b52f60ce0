-- Marks an issued coupon as used, once. A coupon of another key style is left alone: its hash in Redis could not follow.
-- $1 coupon id, $2 user id, $3 use id, $4 key style -> used_at, or no row when it cannot be used (any more)
UPDATE issued_coupons
SET used_at = now(), use_id = $3
WHERE coupon_id = $1 AND user_id = $2
  AND used_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  AND EXISTS (SELECT FROM coupons WHERE id = $1 AND key_style = $4)
RETURNING used_at
