-- Why a batch was not issued: a row, if the coupon still has this epoch, so that its claims were ended.
-- $1 coupon id, $2 epoch
SELECT 1 FROM coupons WHERE id = $1 AND epoch = $2
