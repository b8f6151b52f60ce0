-- Who issued lately: the latest rows of issued_coupons_pace, read backward. The limit bounds the work however fast coupons are issued; the
-- end of time makes the condition a range, which is estimated as few rows however little is known of the table.
-- $1 instant
SELECT worker, count(*)::integer AS issued, max(issued_at) AS last_at
FROM (
  SELECT worker, issued_at
  FROM issued_coupons
  WHERE issued_at >= $1 AND issued_at < 'infinity'
  ORDER BY issued_at DESC
  LIMIT 1000
) AS recent
GROUP BY worker
