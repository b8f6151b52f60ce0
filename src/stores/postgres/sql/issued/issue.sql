-- Issues a batch and counts it, in one statement: coupons_total refuses both together when the total would be passed.
-- The coupon's row is locked first, so that batches of one coupon follow each other; after a wait PostgreSQL looks at the row
-- again, so a reset that came first leaves nothing to do. Rows go in sorted by user id: overlapping batches of two workers
-- cannot deadlock.
-- Request times are cut to milliseconds, not rounded, as everywhere; a double holds them exactly to the microsecond, and a numeric is slow.
-- Only a row that is there already is passed over in silence: a unique index of the database's own must refuse by name.
-- One text holds a column, and one the whole answer: values of their own cost the worker more than the insert does.
-- $1 coupon id, $2 epoch, $3 worker, $4 user ids, a line each, $5 request times (us), $6 fences, $7 deliveries, between commas,
-- $8 lowest of the fences
-- -> lives: 0 if this is another life of the coupon, or a claim that was ended; rows: for each row that was inserted a line of user_id, requested_us, fence,
-- deliveries, worker, and in milliseconds requested_at, issued_at, expires_at, used_at, revoked_at, between tabs; null: no row
WITH coupon AS (
  SELECT id, coalesce(expires_at, now() + valid_for_ms * interval '1 millisecond') AS expires_at
  FROM coupons WHERE id = $1 AND epoch = $2 AND min_fence <= $8 FOR NO KEY UPDATE
), batch AS (
  SELECT *
  FROM unnest(
    string_to_array($4, E'\n'), string_to_array($5, ',')::bigint[], string_to_array($6, ',')::bigint[], string_to_array($7, ',')::integer[]
  ) AS row (user_id, requested_us, fence, deliveries)
), inserted AS (
  INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, expires_at, worker, fence, deliveries)
  SELECT coupon.id, batch.user_id, to_timestamp((batch.requested_us / 1000) / 1000.0::double precision), batch.requested_us,
    coupon.expires_at, $3, batch.fence, batch.deliveries
  FROM coupon CROSS JOIN batch
  ORDER BY batch.user_id COLLATE "C"
  ON CONFLICT (coupon_id, user_id) DO NOTHING
  RETURNING *
), counted AS (
  UPDATE coupons
  SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted),
    max_fence = greatest(max_fence, (SELECT max(fence) FROM batch))
  WHERE id = $1 AND epoch = $2 AND min_fence <= $8
  RETURNING id
)
SELECT count(counted.id)::integer AS lives, string_agg(
  concat(user_id, E'\t', requested_us, E'\t', fence, E'\t', deliveries, E'\t', worker, E'\t',
    milliseconds.requested, E'\t', milliseconds.issued, E'\t', milliseconds.expires, E'\t', milliseconds.used, E'\t', milliseconds.revoked),
  E'\n'
) FILTER (WHERE user_id IS NOT NULL) AS rows
FROM counted
LEFT JOIN inserted ON true
LEFT JOIN LATERAL (
  -- The columns hold whole milliseconds; date_part counts in doubles, so one comes out a hair off.
  SELECT round(date_part('epoch', requested_at) * 1000)::bigint AS requested,
    round(date_part('epoch', issued_at) * 1000)::bigint AS issued,
    round(date_part('epoch', inserted.expires_at) * 1000)::bigint AS expires,
    round(date_part('epoch', used_at) * 1000)::bigint AS used,
    round(date_part('epoch', revoked_at) * 1000)::bigint AS revoked
) AS milliseconds ON true
