-- Sets the counter to the rows that it counts, and the fence to at least what Redis has acknowledged.
-- $1 coupon id, $2 fence
UPDATE coupons
SET issued_quantity = (SELECT count(*) FROM issued_coupons WHERE coupon_id = $1), max_fence = greatest(max_fence, $2), updated_at = now()
WHERE id = $1
