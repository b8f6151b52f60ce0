-- Remembers how many accepted users may be missing, at most; or that an operator has decided about them.
-- $1 coupon id, $2 epoch, $3 users, or null
UPDATE coupons SET may_be_missing = $3, updated_at = now() WHERE id = $1 AND epoch = $2
