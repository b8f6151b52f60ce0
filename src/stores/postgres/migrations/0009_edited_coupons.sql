-- Names and settings can be edited.

ALTER TABLE operator_log DROP CONSTRAINT operator_log_kind_check;
ALTER TABLE operator_log ADD CONSTRAINT operator_log_kind_check
  CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock', 'rename', 'edit', 'forget', 'revoke', 'export', 'purge', 'adopt'));
