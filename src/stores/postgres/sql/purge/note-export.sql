-- Remembers an export.
-- $1 operation id, $2 coupon id, $3 epoch, $4 details, $5 by whom, $6 when it began to read
INSERT INTO operator_log (op_id, coupon_id, epoch, kind, details, version, by_whom, begun_at, finished_at)
SELECT $1::uuid, id, epoch, 'export', $4::jsonb, version, $5::text, $6::timestamptz, now() FROM coupons WHERE id = $2::text AND epoch = $3::uuid
