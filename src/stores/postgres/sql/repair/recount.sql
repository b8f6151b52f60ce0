-- Sets the counters to the rows that they count, and the fence to at least what Redis has acknowledged.
-- $1 coupon id, $2 fence
UPDATE coupons
SET issued_quantity = (SELECT count(*) FROM issued_coupons WHERE coupon_id = $1 AND returned_at IS NULL),
  returned_quantity = (SELECT count(*) FROM issued_coupons WHERE coupon_id = $1 AND returned_at IS NOT NULL),
  max_fence = greatest(max_fence, $2), updated_at = now()
WHERE id = $1
