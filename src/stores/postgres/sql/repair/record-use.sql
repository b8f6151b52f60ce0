-- Records uses that only issued hashes knew. A use or a revocation that the ledger has stays as it is.
-- $1 coupon id, $2 user ids, $3 used at
UPDATE issued_coupons SET used_at = use.used_at, use_id = 'repair'
FROM unnest($2::text[], $3::timestamptz[]) AS use (user_id, used_at)
WHERE issued_coupons.coupon_id = $1 AND issued_coupons.user_id = use.user_id
  AND issued_coupons.used_at IS NULL AND issued_coupons.revoked_at IS NULL
