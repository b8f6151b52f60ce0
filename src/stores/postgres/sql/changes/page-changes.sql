-- The latest changes, of one coupon or of all.
-- $1 coupon id, or NULL, $2 how many
SELECT op_id, coupon_id, epoch, kind, details, version, by_whom, reason, begun_at, finished_at
FROM operator_log
WHERE $1::text IS NULL OR coupon_id = $1
ORDER BY begun_at DESC, op_id
LIMIT $2
