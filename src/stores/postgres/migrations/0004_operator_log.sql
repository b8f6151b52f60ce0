-- What operators changed about a coupon after it was seeded: who, when, and what. A change is begun here before Redis knows of it, and is
-- finished here after; one that was interrupted between the two is seen, and is finished by the same command.

CREATE TABLE operator_log (
  op_id       uuid PRIMARY KEY,
  -- The coupon itself may be gone later: no foreign key.
  coupon_id   text NOT NULL,
  epoch       uuid NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('pause', 'resume', 'close', 'extend', 'restock')),
  -- What was asked for, such as {"add": 100}.
  details     jsonb NOT NULL,
  -- Version of the coupon once the change is done.
  version     integer NOT NULL,
  by_whom     text NOT NULL,
  reason      text,
  begun_at    timestamptz(3) NOT NULL DEFAULT now(),
  finished_at timestamptz(3)
);

-- At most one change of a life of a coupon is under way; a reset ends those of the life before.
CREATE UNIQUE INDEX operator_log_unfinished ON operator_log (coupon_id, epoch) WHERE finished_at IS NULL;
CREATE INDEX operator_log_by_coupon ON operator_log (coupon_id, begun_at);
