-- Ends the present life of a coupon: with the new epoch no worker of the old one can issue any more.
-- $1 coupon id, $2 new epoch
UPDATE coupons SET state = 'resetting', epoch = $2, updated_at = now() WHERE id = $1
