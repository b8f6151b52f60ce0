-- Lives of a coupon that are over.
-- $1 coupon id
SELECT epoch FROM coupon_ended_epochs WHERE coupon_id = $1
