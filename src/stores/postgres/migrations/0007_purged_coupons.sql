-- Exports are remembered, because what was issued is purged only after one; a purge is remembered when its coupon is gone.

ALTER TABLE operator_log DROP CONSTRAINT operator_log_kind_check;
ALTER TABLE operator_log ADD CONSTRAINT operator_log_kind_check
  CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock', 'forget', 'revoke', 'export', 'purge'));
