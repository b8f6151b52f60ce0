-- Whether rows could be inserted now: not on a standby, nor where transactions are read only by default.
-- The look at the table makes it fail with 42P01 where there is none.
SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS read_only, EXISTS (SELECT FROM coupons) AS seeded
