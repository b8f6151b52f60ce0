-- The counter and what it counts, from one snapshot.
-- $1 coupon id
SELECT issued_quantity, (SELECT count(*) FROM issued_coupons WHERE coupon_id = coupons.id)::integer AS rows
FROM coupons
WHERE id = $1
