-- How many were issued in the last while, for the pace.
-- $1 coupon id, $2 since when
SELECT count(*)::integer AS issued FROM issued_coupons WHERE coupon_id = $1 AND issued_at >= $2
