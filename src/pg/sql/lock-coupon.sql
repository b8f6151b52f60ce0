-- Takes the coupon's row for the rest of the transaction, so that batches of one coupon follow each other. It is a statement
-- of its own because the next one must start its snapshot with the lock held: a data-modifying WITH that has to re-check a
-- row changed meanwhile fails ("ModifyTable should not be called during EvalPlanQual").
-- $1 coupon id, $2 epoch -> one row, or none if this is another life of the coupon
SELECT 1 FROM coupons WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE
