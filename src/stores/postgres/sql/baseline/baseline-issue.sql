-- For comparison only (baselines/rdb-lock.ts): one coupon for one user, while the coupon's row is locked. The request time is
-- that of the lock: it is what decided who came first. There was no claim: fence 0, delivered once.
-- $1 coupon id, $2 user id, $3 worker
INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, expires_at, worker, fence, deliveries)
SELECT id, $2, date_trunc('milliseconds', at), (extract(epoch FROM at) * 1000000)::bigint,
  coalesce(expires_at, now() + valid_for_ms * interval '1 millisecond'), $3, 0, 1
FROM coupons CROSS JOIN clock_timestamp() AS at
WHERE id = $1
RETURNING coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, revoked_at
