-- Whether rows could be written now: not on a standby, nor where transactions are read only by default, nor by a role without the right.
-- A right on some columns counts: which ones a role was given is its owner's choice.
-- The look at the table makes it fail with 42P01 where there is none.
SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS read_only, EXISTS (SELECT FROM coupons) AS seeded,
  has_any_column_privilege('issued_coupons', 'UPDATE') AS may_use,
  has_any_column_privilege('issued_coupons', 'INSERT') AND has_any_column_privilege('coupons', 'UPDATE') AS may_issue
