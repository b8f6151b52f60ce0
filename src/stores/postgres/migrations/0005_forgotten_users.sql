-- Changes that concern users: `forget` puts a tombstone in the place of a user. While it is under way its row names the user, so that it
-- can be finished; afterwards nothing does.

ALTER TABLE operator_log DROP CONSTRAINT operator_log_kind_check;
ALTER TABLE operator_log ADD CONSTRAINT operator_log_kind_check
  CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock', 'forget'));
