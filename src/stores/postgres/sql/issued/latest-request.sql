-- The latest request time that has a coupon, in microseconds.
-- $1 coupon id
SELECT coalesce(max(requested_us), 0) AS latest FROM issued_coupons WHERE coupon_id = $1
