-- Issues a batch and counts it, in one statement: coupons_total refuses both together when the total would be passed.
-- The coupon's row is locked first, so that batches of one coupon follow each other; after a wait PostgreSQL looks at the row
-- again, so a reset that came first leaves nothing to do. Rows go in sorted by user id: overlapping batches of two workers
-- cannot deadlock.
-- Only a row that is there already is passed over in silence: a unique index of the database's own must refuse by name.
-- $1 coupon id, $2 epoch, $3 worker, $4 user ids, $5 request times (us), $6 fences, $7 deliveries
-- -> the rows that were inserted; one row of nulls when none was; no row at all if this is another life of the coupon
WITH coupon AS (
  SELECT id, expires_at, valid_for_ms FROM coupons WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE
), batch AS (
  SELECT *
  FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::integer[]) AS row (user_id, requested_us, fence, deliveries)
), inserted AS (
  INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, expires_at, worker, fence, deliveries)
  SELECT coupon.id, batch.user_id, to_timestamp((batch.requested_us / 1000) / 1000.0), batch.requested_us,
    coalesce(coupon.expires_at, now() + coupon.valid_for_ms * interval '1 millisecond'), $3, batch.fence, batch.deliveries
  FROM coupon CROSS JOIN batch
  ORDER BY batch.user_id COLLATE "C"
  ON CONFLICT (coupon_id, user_id) DO NOTHING
  RETURNING coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, used_at, revoked_at, worker, fence, deliveries
), counted AS (
  UPDATE coupons
  SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted),
    max_fence = greatest(max_fence, (SELECT max(fence) FROM batch))
  WHERE id = $1 AND epoch = $2
  RETURNING id
)
SELECT inserted.* FROM counted LEFT JOIN inserted ON true
