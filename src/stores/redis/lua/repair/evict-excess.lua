#!lua flags=allow-oom
-- evict-excess: dead-letters users for whom there is no coupon, because more were accepted than there are coupons. Each gives a promise
-- back (`returned`, counted anew as in restore), until promises and coupons are equal.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6] claims     hash
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] total      from the ledger
-- ARGV[3] given back coupons that revocations have put back into the stock, from the ledger
-- ARGV[4...]         userId of each, who asked last first; none of them has a ledger row. Up to 200, or none to ask for the excess.
--
-- Reply: how many were dead-lettered, and how many promises are still too many. Users that a worker holds are left alone.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 6)

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return { 0, 0 } end
redis.call('ZCARD', QUEUE)
redis.call('HLEN', CLAIMS)

local returned = tonumber(ARGV[3])
for _, reason in ipairs(redis.call('HVALS', DEAD)) do
  if reason == 'over_promised' then returned = returned + 1 end
end
local excess = redis.call('HLEN', ADMITTED) - tonumber(ARGV[2]) - returned
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local moved = 0
for i = 4, #ARGV do
  local user = ARGV[i]
  local deadline = tonumber(redis.call('ZSCORE', LEASES, user) or '')
  local held = deadline and deadline > now
  local promised = redis.call('HEXISTS', ADMITTED, user) == 1 and redis.call('HGET', DEAD, user) ~= 'over_promised'
  if excess > 0 and promised and not held then
    redis.call('ZREM', QUEUE, user)
    redis.call('ZREM', LEASES, user)
    redis.call('HDEL', CLAIMS, user)
    redis.call('HSET', DEAD, user, 'over_promised')
    excess = excess - 1
    moved = moved + 1
  end
end
if moved > 0 then redis.call('HSET', COUPON, 'returned', string.format('%d', returned + moved)) end
return { moved, math.max(excess, 0) }
