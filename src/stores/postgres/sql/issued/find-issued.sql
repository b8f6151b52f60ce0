-- The rows of these users. A statement of its own after the insert, so that it also sees rows that another worker committed
-- in between: only what this returns counts as issued.
-- $1 coupon id, $2 user ids
SELECT coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, revoked_at, worker, fence, deliveries
FROM issued_coupons
WHERE coupon_id = $1 AND user_id = ANY ($2::text[])
