-- Coupons that are taken back from their users. The row stays: nobody gets a second coupon. One that went back into the stock does not
-- count as issued any more, so that somebody else can have it: rows = issued_quantity + returned_quantity.

ALTER TABLE issued_coupons ADD COLUMN revoke_reason text;
ALTER TABLE issued_coupons ADD COLUMN returned_at timestamptz(3);
ALTER TABLE coupons ADD COLUMN returned_quantity integer NOT NULL DEFAULT 0 CHECK (returned_quantity >= 0);
-- For counts alone. Its condition keeps it from being taken for the primary key.
CREATE INDEX issued_coupons_returned ON issued_coupons (coupon_id) WHERE returned_at IS NOT NULL;

ALTER TABLE operator_log DROP CONSTRAINT operator_log_kind_check;
ALTER TABLE operator_log ADD CONSTRAINT operator_log_kind_check
  CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock', 'forget', 'revoke'));
