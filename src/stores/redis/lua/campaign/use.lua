#!lua flags=allow-oom
-- use: lets the issued hash follow the ledger, which has already decided that the coupon is used.
--
-- KEYS[1] issued     hash of one user
-- ARGV[1] used_at    ISO 8601
--
-- Reply: 1 if the hash exists, 0 if not (nothing is written then; audit --repair rebuilds hashes). A used_at that is a time is kept.

local ISSUED = KEYS[1]

-- include foreign-time

if redis.call('EXISTS', ISSUED) == 0 then return 0 end
if (foreign_time(redis.call('HGET', ISSUED, 'used_at') or '') or 0) == 0 then redis.call('HSET', ISSUED, 'used_at', ARGV[1]) end
return 1
