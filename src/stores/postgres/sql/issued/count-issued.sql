-- The counter and what it counts, and the highest fence, from one snapshot.
-- $1 coupon id
SELECT issued_quantity, max_fence, (SELECT count(*) FROM issued_coupons WHERE coupon_id = coupons.id)::integer AS rows
FROM coupons
WHERE id = $1
