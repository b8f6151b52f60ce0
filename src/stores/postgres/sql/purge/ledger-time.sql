-- The time of the ledger, which its rows are written with.
SELECT now() AS now
