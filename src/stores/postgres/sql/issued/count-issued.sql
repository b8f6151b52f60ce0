-- The counters and what they count, and the highest fence, from one snapshot.
-- $1 coupon id
SELECT issued_quantity, returned_quantity, max_fence,
  (SELECT count(*) FROM issued_coupons WHERE coupon_id = coupons.id)::integer AS rows,
  (SELECT count(*) FROM issued_coupons WHERE coupon_id = coupons.id AND returned_at IS NOT NULL)::integer AS returned
FROM coupons
WHERE id = $1
