#!lua flags=allow-oom
-- bury: dead-letters users whose rows the ledger refuses for a fault of their own. Their coupons stay spent until an operator
-- decides: `dead retry` or `dead drop`.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] dead       hash, user -> reason
-- KEYS[5] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId, fence, reason of each claim. Up to 200.
--
-- Reply: how many were dead-lettered. A claim that another worker holds by now, or of another life of the coupon, is left alone.
-- The claim record stays, with one fault more: it tells what was tried.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])
redis.call('HLEN', KEYS[4])

local buried = 0
for i = 2, #ARGV, 3 do
  local user, fence, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local holder, rest, faults = string.match(redis.call('HGET', KEYS[5], user) or '', '^(%d+)(:[^:]*:[^:]+:%d+:%d+:)(%d+)$')
  if holder == fence and redis.call('ZREM', KEYS[3], user) == 1 then
    redis.call('ZREM', KEYS[2], user)
    redis.call('HSET', KEYS[4], user, reason)
    redis.call('HSET', KEYS[5], user, holder .. rest .. string.format('%d', tonumber(faults) + 1))
    buried = buried + 1
  end
end
return buried
