-- Why a coupon could not be used.
-- $1 coupon id, $2 user id -> the key style of the coupon; the rest is null when it was not issued to this user
SELECT c.key_style, i.user_id IS NOT NULL AS issued, i.used_at, i.use_id, i.revoked_at, i.expires_at, i.expires_at <= now() AS expired
FROM coupons c
LEFT JOIN issued_coupons i ON i.coupon_id = c.id AND i.user_id = $2
WHERE c.id = $1
