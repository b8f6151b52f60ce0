-- Of the claims below a number, none issues from now on. The lock on the row waits for batches that are being written: afterwards
-- their rows can be seen. A Redis that knows no claim above them has lost data, as with max_fence.
-- $1 coupon id, $2 epoch, $3 the lowest claim that may still issue
UPDATE coupons SET min_fence = greatest(min_fence, $3::bigint), max_fence = greatest(max_fence, $3::bigint - 1)
WHERE id = $1 AND epoch = $2
