#!lua flags=allow-oom
-- rehash: makes issued hashes say what the ledger says, where they say something else.
--
-- KEYS[1] coupon     hash
-- KEYS[2...] issued  hash of each user, in the order of ARGV
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] couponId
-- ARGV[3...]         userId, ex_date, requested_at, issued_at, used_at, revoked_at of each row ('' for none), and used_at as the hash
--                    had it when it was looked at. Up to 200 rows.
--
-- Reply: how many were written; 0 for another life of the coupon. A hash whose used_at has changed since keeps it: the use was
-- decided by the ledger, and this row is from before it. Fields of other services are theirs.

local COUPON = KEYS[1]
local ISSUED = { unpack(KEYS, 2) }

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end

local count = (#ARGV - 2) / 7
for i = 1, count do redis.call('HLEN', ISSUED[i]) end

for i = 1, count do
  local at, key = 7 * (i - 1) + 2, ISSUED[i]
  redis.call('HSET', key, 'userId', ARGV[at + 1], 'couponId', ARGV[2], 'ex_date', ARGV[at + 2], 'requested_at', ARGV[at + 3],
    'issued_at', ARGV[at + 4])
  if (redis.call('HGET', key, 'used_at') or '') == ARGV[at + 7] then redis.call('HSET', key, 'used_at', ARGV[at + 5]) end
  if ARGV[at + 6] == '' then redis.call('HDEL', key, 'revoked_at') else redis.call('HSET', key, 'revoked_at', ARGV[at + 6]) end
end
return count
