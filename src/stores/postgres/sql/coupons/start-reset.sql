-- Ends the present life of a coupon, and remembers that it has ended: with the new epoch no worker of the old one can issue any more.
-- The row is locked first, so that of two resets at once each remembers the epoch that it replaced.
-- $1 coupon id, $2 new epoch
WITH coupon AS (
  SELECT id, epoch FROM coupons WHERE id = $1 FOR NO KEY UPDATE
), remembered AS (
  INSERT INTO coupon_ended_epochs (coupon_id, epoch) SELECT id, epoch FROM coupon ON CONFLICT (coupon_id, epoch) DO NOTHING
)
UPDATE coupons SET state = 'resetting', epoch = $2, updated_at = now() FROM coupon WHERE coupons.id = coupon.id
