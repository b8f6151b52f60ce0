-- Records a revocation that only the issued hash knew. One that the ledger has stays as it is. One user at a time, as in record-use.sql.
-- $1 coupon id, $2 user id, $3 revoked at
UPDATE issued_coupons SET revoked_at = $3, revoke_reason = 'repair'
WHERE coupon_id = $1 AND user_id = $2 AND revoked_at IS NULL
