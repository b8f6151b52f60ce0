-- One page of a coupon's rows by key, as page-issued.sql, in short: with all that the issued hash in Redis must say too in one
-- text, in the form that compare-rows.lua describes.
-- $1 coupon id, $2 user id to start after ('' for the first page), $3 limit
SELECT user_id, requested_us, fence, deliveries,
  format('%s %s %s %s %s %s',
    requested_us,
    to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    to_char(used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    to_char(requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS text
FROM issued_coupons
WHERE coupon_id = $1 AND user_id > $2
ORDER BY user_id
LIMIT $3
