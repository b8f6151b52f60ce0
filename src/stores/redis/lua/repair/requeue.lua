#!lua flags=allow-oom
-- requeue: puts admitted users who are in no place, or whom no worker holds, back into the queue at their original place.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId of each. Up to 200.
--
-- Reply: how many were put back. Left alone: users who wait, are dead or were never admitted, and users that a worker holds with a lease
-- that is neither over nor longer than twice its own length. A user who is in the ledger after all may be put back as well: the
-- next claim finds the row and only acknowledges it again.
-- The claim record stays or is made: a user who was put back has lost a turn, which the order of serving must not be judged by.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 6)

-- include claim-record

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end
redis.call('ZCARD', QUEUE)
redis.call('HLEN', CLAIMS)

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local requeued = 0
for i = 2, #ARGV do
  local user = ARGV[i]
  local score = string.match(redis.call('HGET', ADMITTED, user) or '', '^([^:]+):')
  local record = redis.call('HGET', CLAIMS, user)
  local claim = read_claim(record)
  local deadline = tonumber(redis.call('ZSCORE', LEASES, user) or '')
  local held = deadline and claim and deadline > now and deadline <= now + 2 * claim.lease
  local waits = redis.call('ZSCORE', QUEUE, user)
  if score and not held and not waits and redis.call('HEXISTS', DEAD, user) == 0 then
    redis.call('ZREM', LEASES, user)
    redis.call('ZADD', QUEUE, score, user)
    if not record then
      claim = { fence = 0, worker = 'repair', score = score, lease = 0, deliveries = 1, faults = 0 }
      redis.call('HSET', CLAIMS, user, write_claim(claim))
    end
    requeued = requeued + 1
  end
end
return requeued
