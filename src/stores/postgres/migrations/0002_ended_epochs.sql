-- What a repair must be able to ask the ledger after Redis has lost data.

-- Lives of a coupon that a reset has ended. Users in Redis who were accepted under one of these are of the past; an epoch that is not
-- here proves nothing about them. The coupon itself may be gone: no foreign key.
CREATE TABLE coupon_ended_epochs (
  coupon_id text NOT NULL,
  epoch     uuid NOT NULL,
  ended_at  timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (coupon_id, epoch)
);

-- How many accepted users may be missing, at most, since Redis lost its records of them. While it is set the coupon stays paused.
ALTER TABLE coupons ADD COLUMN may_be_missing integer CHECK (may_be_missing > 0);
