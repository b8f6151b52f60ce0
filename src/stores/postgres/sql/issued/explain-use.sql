-- Why a coupon could not be used.
-- $1 coupon id, $2 user id
SELECT used_at, use_id, revoked_at, expires_at, expires_at <= now() AS expired
FROM issued_coupons
WHERE coupon_id = $1 AND user_id = $2
