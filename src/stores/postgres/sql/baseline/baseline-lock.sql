-- For comparison only (baselines/rdb-lock.ts): the coupon under a row lock, so that requests for it follow one another.
-- $1 coupon id
SELECT total_quantity, issued_quantity, state,
  now() >= coalesce(opens_at, '-infinity') AND now() < coalesce(closes_at, 'infinity') AS open
FROM coupons
WHERE id = $1
FOR UPDATE
