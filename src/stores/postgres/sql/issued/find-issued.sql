-- The rows of these users, each by the primary key. Written as an array of users or as a join, it could become one scan of all rows of
-- the coupon: a plan that was made while the table was small is kept, and a new coupon is estimated at one row. LIMIT keeps the
-- lookup of each user apart.
-- $1 coupon id, $2 user ids
SELECT found.*
FROM unnest($2::text[]) AS wanted (user_id)
CROSS JOIN LATERAL (
  SELECT coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, revoked_at, worker, fence, deliveries
  FROM issued_coupons
  WHERE coupon_id = $1 AND user_id = wanted.user_id
  LIMIT 1
) AS found
