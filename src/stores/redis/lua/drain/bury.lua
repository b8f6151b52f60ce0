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

local COUPON, QUEUE, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 5)

-- include claim-record

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', QUEUE)
redis.call('ZCARD', LEASES)
redis.call('HLEN', DEAD)

local buried = 0
for i = 2, #ARGV, 3 do
  local user, fence, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local claim = read_claim(redis.call('HGET', CLAIMS, user))
  if claim and claim.fence == fence and redis.call('ZREM', LEASES, user) == 1 then
    redis.call('ZREM', QUEUE, user)
    redis.call('HSET', DEAD, user, reason)
    claim.faults = claim.faults + 1
    redis.call('HSET', CLAIMS, user, write_claim(claim))
    buried = buried + 1
  end
end
return buried
