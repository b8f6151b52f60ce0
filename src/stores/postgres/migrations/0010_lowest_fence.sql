-- The lowest claim that may still issue. `forget` raises it: a worker that comes late would write a row under the id that is forgotten.

ALTER TABLE coupons ADD COLUMN min_fence bigint NOT NULL DEFAULT 0;
