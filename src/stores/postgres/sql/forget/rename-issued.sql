-- Puts a tombstone in the place of a user in the rows of one coupon. The id of a use may be an order of
-- that user, and the reason of a revocation speaks of the user, so both go.
-- $1 coupon id, $2 user id, $3 tombstone
UPDATE issued_coupons SET user_id = $3, use_id = CASE WHEN use_id IS NOT NULL THEN 'forgotten' END,
  revoke_reason = CASE WHEN revoke_reason IS NOT NULL THEN 'forgotten' END
WHERE coupon_id = $1 AND user_id = $2
