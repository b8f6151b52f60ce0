-- How many were issued since an instant: a walk over what is recent in issued_coupons_pace. The coupon is compared as an expression,
-- because the primary key, which begins with it, would mean a walk over all of its rows; the end of time makes it a range, which is
-- estimated as few rows however little is known of the table.
-- $1 coupon id, $2 instant
SELECT count(*)::integer AS issued
FROM issued_coupons
WHERE issued_at >= $2 AND issued_at < 'infinity' AND coupon_id || '' = $1
