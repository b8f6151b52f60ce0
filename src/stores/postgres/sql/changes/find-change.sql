-- The change of this id, or the one of this life of the coupon that was begun and not finished.
-- $1 coupon id, $2 operation id, or NULL, $3 epoch
SELECT op_id, coupon_id, epoch, kind, details, version, by_whom, reason, begun_at, finished_at
FROM operator_log
WHERE coupon_id = $1 AND epoch = $3 AND (op_id = $2::uuid OR finished_at IS NULL)
ORDER BY (op_id = $2::uuid) DESC NULLS LAST
LIMIT 1
