-- Records a use that only the issued hash knew. A use or a revocation that the ledger has stays as it is. One user at a time: joined to
-- a list of users it could become a scan of all rows of the coupon.
-- $1 coupon id, $2 user id, $3 used at
UPDATE issued_coupons SET used_at = $3, use_id = 'repair'
WHERE coupon_id = $1 AND user_id = $2 AND used_at IS NULL AND revoked_at IS NULL
