-- Coupons that another service had begun before they came into this ledger. While one is being taken over it is `adopting`: no worker touches
-- it, and the same command finishes it.

ALTER TABLE coupons DROP CONSTRAINT coupons_state_check;
ALTER TABLE coupons ADD CONSTRAINT coupons_state_check CHECK (state IN ('seeding', 'ready', 'resetting', 'adopting'));
-- The service goes on writing the hash in Redis, and may write it anew: the name that it has for the stock. NULL: no other service writes it.
ALTER TABLE coupons ADD COLUMN shared_stock_field text;
-- What an operator last said, because such a hash forgets it. NULL: nothing yet.
ALTER TABLE coupons ADD COLUMN sale_state text CHECK (sale_state IN ('open', 'paused', 'closed'));

ALTER TABLE operator_log DROP CONSTRAINT operator_log_kind_check;
ALTER TABLE operator_log ADD CONSTRAINT operator_log_kind_check
  CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock', 'forget', 'revoke', 'export', 'purge', 'adopt'));
