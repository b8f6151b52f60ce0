-- One page of a coupon's rows by key: many short statements instead of one long snapshot, which would slow a live drain.
-- $1 coupon id, $2 user id to start after ('' for the first page), $3 limit
SELECT coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, revoked_at, worker, fence, deliveries
FROM issued_coupons
WHERE coupon_id = $1 AND user_id > $2
ORDER BY user_id
LIMIT $3
