-- For comparison only (baselines/rdb-lock.ts): counts the coupon that was just issued.
-- $1 coupon id
UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = $1
