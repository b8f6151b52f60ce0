#!lua flags=allow-oom
-- release: gives claims back to the queue, each at its original place, without waiting for the lease to run out.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId, fence of each claim. Up to 200.
--
-- Reply: how many were given back. A claim that another worker holds by now, or of another life of the coupon, is left alone.
-- The claim record stays, so that deliveries go on counting.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])

local released = 0
for i = 2, #ARGV, 2 do
  local user, fence = ARGV[i], ARGV[i + 1]
  local holder, score = string.match(redis.call('HGET', KEYS[4], user) or '', '^(%d+):[^:]*:([^:]+):')
  if holder == fence and redis.call('ZREM', KEYS[3], user) == 1 then
    redis.call('ZADD', KEYS[2], score, user)
    released = released + 1
  end
end
return released
