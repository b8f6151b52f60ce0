-- The newest migration that was applied. Fails with 42P01 when there is no schema yet.
SELECT max(version) AS version FROM coupon_migrations
