-- Coupons as they stand, all or one.
-- $1 coupon id, or null for all
SELECT id, name, total_quantity, issued_quantity, max_fence, epoch, version, state, key_style, opens_at, closes_at, expires_at, valid_for_ms,
  may_be_missing
FROM coupons
WHERE $1::text IS NULL OR id = $1
ORDER BY id
