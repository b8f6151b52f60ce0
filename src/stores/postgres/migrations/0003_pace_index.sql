-- The pace of issuing, for "time left". An index that has coupon_id among its keys can be mistaken for the primary key: where the table
-- is estimated as empty, or the coupon at one row, both look equally good for finding users, and one of them reads all rows. In INCLUDE
-- it can only be read, not searched.

DROP INDEX issued_coupons_issued_at;
CREATE INDEX issued_coupons_pace ON issued_coupons (issued_at) INCLUDE (coupon_id);
