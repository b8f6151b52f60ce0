-- Begins a change. The row of the coupon is locked, so that no batch is issued and no other change is begun meanwhile; a second change
-- under way is refused by operator_log_unfinished.
-- $1 operation id, $2 coupon id, $3 epoch, $4 kind, $5 details, $6 by whom, $7 reason, $8 how far the version rises: 1, or 0 when the
-- settings stay, $9 version that the coupon was read with; NULL: it does not matter. What a change is made of was read then: one that was
-- finished in between must not be undone.
INSERT INTO operator_log (op_id, coupon_id, epoch, kind, details, version, by_whom, reason)
SELECT $1::uuid, id, epoch, $4::text, $5::jsonb, version + $8::integer, $6::text, $7::text
FROM coupons
WHERE id = $2::text AND epoch = $3::uuid AND state = 'ready' AND version = coalesce($9::integer, version) FOR NO KEY UPDATE
RETURNING op_id, coupon_id, epoch, kind, details, version, by_whom, reason, begun_at, finished_at
