-- Takes back a seeding that Redis refused. A seeding that was finished in the meantime is left alone.
-- $1 coupon id, $2 epoch
DELETE FROM coupons WHERE id = $1 AND epoch = $2 AND state = 'seeding'
