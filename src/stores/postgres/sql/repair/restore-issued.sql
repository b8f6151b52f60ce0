-- Writes rows back that the ledger has lost, as the issued hashes have them, and counts them and their claims: coupons_total refuses all
-- together when the total would be passed. A user who has a row gets no other. See issue.sql for the lock and the order.
-- $1 coupon id, $2 epoch, $3 user ids, $4 request times (us), $5 issued at, $6 expires at, $7 used at, $8 revoked at, $9 fences,
-- $10 deliveries, $11 who writes them: 'repair' or 'adopt'
-- -> one row updated, or none if this is another life of the coupon
WITH coupon AS (
  SELECT id FROM coupons WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE
), batch AS (
  SELECT *
  FROM unnest($3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::bigint[],
    $10::integer[])
    AS row (user_id, requested_us, issued_at, expires_at, used_at, revoked_at, fence, deliveries)
), inserted AS (
  INSERT INTO issued_coupons
    (coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, use_id, revoked_at, worker, fence, deliveries)
  SELECT coupon.id, user_id, to_timestamp((requested_us / 1000) / 1000.0), requested_us, issued_at, expires_at, used_at,
    CASE WHEN used_at IS NOT NULL THEN $11 END, revoked_at, $11, fence, deliveries
  FROM coupon CROSS JOIN batch
  ORDER BY user_id COLLATE "C"
  ON CONFLICT (coupon_id, user_id) DO NOTHING
  RETURNING 1
)
UPDATE coupons
SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted),
  max_fence = greatest(max_fence, (SELECT max(fence) FROM batch)), updated_at = now()
WHERE id = $1 AND epoch = $2
