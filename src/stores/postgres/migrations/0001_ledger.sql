-- The ledger: the last word on who has a coupon. Whatever happens to Redis, these constraints cannot over-issue.

CREATE TABLE coupons (
  id              text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  name            text NOT NULL,
  total_quantity  integer NOT NULL CHECK (total_quantity >= 0),
  issued_quantity integer NOT NULL DEFAULT 0,
  -- Highest claim number that ever reached this row. A Redis whose counter is lower has lost data.
  max_fence       bigint NOT NULL DEFAULT 0,
  -- Random id of one life of the coupon, new at every seed and reset; stands in Redis too.
  epoch           uuid NOT NULL,
  -- Rises with every change that an operator makes to the coupon.
  version         integer NOT NULL DEFAULT 1,
  state           text NOT NULL CHECK (state IN ('seeding', 'ready', 'resetting')),
  key_style       text NOT NULL CHECK (key_style IN ('plain', 'hash-tag')),
  opens_at        timestamptz(3),
  closes_at       timestamptz(3),
  -- Expiry of the issued coupons: a fixed instant, a time counted from issued_at, or neither.
  expires_at      timestamptz(3),
  valid_for_ms    bigint CHECK (valid_for_ms > 0),
  created_at      timestamptz(3) NOT NULL DEFAULT now(),
  updated_at      timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT coupons_total CHECK (issued_quantity BETWEEN 0 AND total_quantity),
  CONSTRAINT coupons_window CHECK (closes_at > opens_at),
  CONSTRAINT coupons_expiry CHECK (expires_at IS NULL OR valid_for_ms IS NULL)
);

CREATE TABLE issued_coupons (
  coupon_id    text NOT NULL REFERENCES coupons (id),
  -- Ids compare byte by byte, as in Redis, so that a page cursor means the same in both stores.
  user_id      text COLLATE "C" NOT NULL,
  requested_at timestamptz(3) NOT NULL,
  -- The exact request time in microseconds since 1970: the order of the queue.
  requested_us bigint NOT NULL,
  issued_at    timestamptz(3) NOT NULL DEFAULT now(),
  expires_at   timestamptz(3),
  used_at      timestamptz(3),
  -- Id of the use that succeeded, so that the same use may be asked for again.
  use_id       text,
  revoked_at   timestamptz(3),
  worker       text NOT NULL,
  fence        bigint NOT NULL,
  deliveries   integer NOT NULL,
  PRIMARY KEY (coupon_id, user_id)
);

-- The pace of issuing, for "time left".
CREATE INDEX issued_coupons_issued_at ON issued_coupons (coupon_id, issued_at);
