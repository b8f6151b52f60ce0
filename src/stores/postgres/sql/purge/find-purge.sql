-- The latest purge of a coupon, finished or not.
-- $1 coupon id
SELECT op_id, coupon_id, epoch, kind, details, version, by_whom, reason, begun_at, finished_at
FROM operator_log
WHERE coupon_id = $1 AND kind = 'purge'
ORDER BY begun_at DESC
LIMIT 1
