-- Whether an export of this life of a coupon has every row: it began after the last one was issued, and it has as many.
-- $1 coupon id, $2 epoch, $3 rows -> one row, is_exported
SELECT count(*) FILTER (
  WHERE begun_at >= coalesce((SELECT max(issued_at) FROM issued_coupons WHERE coupon_id = $1), '-infinity')
) > 0 AS is_exported
FROM operator_log
WHERE coupon_id = $1 AND epoch = $2 AND kind = 'export' AND (details ->> 'rows')::integer = $3
