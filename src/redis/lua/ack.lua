#!lua flags=allow-oom
-- ack: makes what the ledger holds visible in Redis, and gives the claims up. It can be repeated without harm, and a late
-- worker may call it: the rows come from the ledger, which has the last word, so no fence is compared.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] claims     hash
-- KEYS[5...] issued  hash of each user, in the order of ARGV
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] couponId
-- ARGV[3...]         userId, ex_date, requested_at, issued_at, used_at, revoked_at of each row; '' for none. Up to 200 rows.
--
-- Reply: 'ok', or 'epoch' (another life of the coupon, or none: nothing was written).
-- used_at and revoked_at are only ever filled in, never changed.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 'epoch' end

local count = (#ARGV - 2) / 6

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])
redis.call('HLEN', KEYS[4])
for i = 1, count do redis.call('HLEN', KEYS[4 + i]) end

for i = 1, count do
  local at = 6 * (i - 1) + 2
  local user, key = ARGV[at + 1], KEYS[4 + i]
  local kept = redis.call('HMGET', key, 'used_at', 'revoked_at')
  local used = kept[1] and kept[1] ~= '' and kept[1] or ARGV[at + 5]
  local revoked = kept[2] and kept[2] ~= '' and kept[2] or ARGV[at + 6]
  redis.call('HSET', key, 'userId', user, 'couponId', ARGV[2], 'ex_date', ARGV[at + 2], 'used_at', used,
    'requested_at', ARGV[at + 3], 'issued_at', ARGV[at + 4])
  if revoked ~= '' then redis.call('HSET', key, 'revoked_at', revoked) end
  redis.call('ZREM', KEYS[2], user)
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
end
return 'ok'
