-- Issues a batch and counts it, in one statement: coupons_total refuses both together when the total would be passed.
-- Rows go in sorted by user id, so that overlapping batches of two workers cannot deadlock.
-- $1 coupon id, $2 epoch, $3 worker, $4 user ids, $5 request times (us), $6 fences, $7 deliveries -> number of new rows
WITH batch AS (
  SELECT *
  FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::integer[]) AS row (user_id, requested_us, fence, deliveries)
), inserted AS (
  INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, expires_at, worker, fence, deliveries)
  SELECT coupons.id, batch.user_id, to_timestamp((batch.requested_us / 1000) / 1000.0), batch.requested_us,
    coalesce(coupons.expires_at, now() + coupons.valid_for_ms * interval '1 millisecond'), $3, batch.fence, batch.deliveries
  FROM coupons CROSS JOIN batch
  WHERE coupons.id = $1 AND coupons.epoch = $2
  ORDER BY batch.user_id COLLATE "C"
  ON CONFLICT DO NOTHING
  RETURNING 1
)
UPDATE coupons
SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted),
  max_fence = greatest(max_fence, (SELECT max(fence) FROM batch))
WHERE id = $1 AND epoch = $2
