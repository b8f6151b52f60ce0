-- Issues a batch and counts it, in one statement: coupons_total refuses both together when the total would be passed.
-- The coupon's row is locked first, so that batches of one coupon follow each other; after a wait PostgreSQL looks at the row
-- again, so a reset that came first leaves nothing to do. Rows go in sorted by user id: overlapping batches of two workers
-- cannot deadlock.
-- Request times are cut to milliseconds, not rounded, as everywhere; a double holds them exactly to the microsecond, and a numeric is slow.
-- Only a row that is there already is passed over in silence: a unique index of the database's own must refuse by name. Sent without the
-- ON CONFLICT line for users who were never claimed before, and again with it where one of them has a row.
-- One text holds a column, and nothing comes back of rows that are as they were given: values of their own cost the worker more than the
-- insert does. A trigger may have changed a row; sums tell, and then one text holds all rows.
-- $1 coupon id, $2 epoch, $3 worker, $4 user ids, a line each, $5 request times (us), $6 fences, $7 deliveries, between commas,
-- $8 lowest of the fences
-- -> lives: 0 if this is another life of the coupon, or a claim that was ended; issued, expires: milliseconds, of every row, where all of the batch
-- were inserted as given (null: one of them was not, or never expires); rows: else, for each row that was inserted, a line of user_id,
-- requested_us, fence, deliveries, worker, and in milliseconds requested_at, issued_at, expires_at, used_at, revoked_at, between tabs; null: no row
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
  RETURNING user_id, requested_us, fence, deliveries, worker, requested_at, issued_at, expires_at, used_at, revoked_at
), counted AS (
  UPDATE coupons
  SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted),
    max_fence = greatest(max_fence, (SELECT max(fence) FROM batch))
  WHERE id = $1 AND epoch = $2 AND min_fence <= $8
  RETURNING id
), given AS (
  SELECT count(*) AS rows, sum(hashtext(user_id)) AS users, sum(requested_us) AS us, sum(fence) AS fences, sum(deliveries) AS deliveries
  FROM batch
), kept AS (
  SELECT count(*) AS rows, sum(hashtext(user_id)) AS users, sum(requested_us) AS us, sum(fence) AS fences, sum(deliveries) AS deliveries,
    min(issued_at) AS issued, min(expires_at) AS expires, min(issued_at) = max(issued_at)
      AND count(expires_at) IN (0, count(*)) AND min(expires_at) IS NOT DISTINCT FROM max(expires_at)
      AND bool_and(worker = $3 AND used_at IS NULL AND revoked_at IS NULL
        AND requested_at = to_timestamp((requested_us / 1000) / 1000.0::double precision)) AS plain
  FROM inserted
), answer AS (
  SELECT kept.*, kept.plain AND (kept.rows, kept.users, kept.us, kept.fences, kept.deliveries)
    = (given.rows, given.users, given.us, given.fences, given.deliveries) AS as_given
  FROM kept CROSS JOIN given
)
-- The columns hold whole milliseconds; date_part counts in doubles, so one comes out a hair off.
SELECT (SELECT count(*) FROM counted)::integer AS lives,
  CASE WHEN as_given THEN round(date_part('epoch', issued) * 1000) END AS issued,
  CASE WHEN as_given THEN round(date_part('epoch', expires) * 1000) END AS expires,
  CASE WHEN as_given THEN NULL ELSE (
    SELECT string_agg(
      concat(user_id, E'\t', requested_us, E'\t', fence, E'\t', deliveries, E'\t', worker, E'\t',
        round(date_part('epoch', requested_at) * 1000), E'\t', round(date_part('epoch', issued_at) * 1000), E'\t',
        round(date_part('epoch', expires_at) * 1000), E'\t', round(date_part('epoch', used_at) * 1000), E'\t',
        round(date_part('epoch', revoked_at) * 1000)),
      E'\n'
    ) FROM inserted
  ) END AS rows
FROM answer
