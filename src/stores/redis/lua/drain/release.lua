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

local COUPON, QUEUE, LEASES, CLAIMS = unpack(KEYS, 1, 4)

-- include claim-record

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end
redis.call('ZCARD', QUEUE)
redis.call('ZCARD', LEASES)

local released = 0
for i = 2, #ARGV, 2 do
  local user, fence = ARGV[i], ARGV[i + 1]
  local claim = read_claim(redis.call('HGET', CLAIMS, user))
  if claim and claim.fence == fence and redis.call('ZREM', LEASES, user) == 1 then
    redis.call('ZADD', QUEUE, claim.score, user)
    released = released + 1
  end
end
return released
