#!lua flags=allow-oom
-- adopt: admits users who are in some place without having been admitted here, and gives admission, queue and
-- claim of each user one request time. That of the ledger counts first, then that of the admission, the queue, the claim; a user who
-- has none of them, or only scores that are no time, is taken to ask now. Written in microseconds.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId and request time in the ledger (microseconds, '' for no row) of each. Up to 200.
--
-- Reply: how many records were changed. A user who is in no place is not admitted by this. It can be repeated without harm.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 6)

-- include claim-record
-- include request-time

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end
-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', QUEUE)
redis.call('HLEN', ADMITTED)
redis.call('ZCARD', LEASES)
redis.call('HLEN', DEAD)
redis.call('HLEN', CLAIMS)

local function now_us()
  local time = redis.call('TIME')
  local us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  us = math.max(us, (tonumber(redis.call('HGET', COUPON, 'last_us') or '') or 0) + 1)
  redis.call('HSET', COUPON, 'last_us', string.format('%.0f', us))
  return us
end

local changed = 0
for i = 2, #ARGV, 2 do
  local user, in_ledger = ARGV[i], ARGV[i + 1]
  local score, request = string.match(redis.call('HGET', ADMITTED, user) or '', '^([^:]*):(.*)$')
  local queued = redis.call('ZSCORE', QUEUE, user)
  local claim = read_claim(redis.call('HGET', CLAIMS, user))
  local held = redis.call('ZSCORE', LEASES, user) or redis.call('HEXISTS', DEAD, user) == 1
  if in_ledger ~= '' or score or queued or claim or held then
    local us = tonumber(in_ledger) or score_us(score) or score_us(queued) or (claim and score_us(claim.score)) or now_us()
    local time = string.format('%.0f', us)
    if score == nil or tonumber(score) ~= us then
      redis.call('HSET', ADMITTED, user, time .. ':' .. (request or ''))
      changed = changed + 1
    end
    if queued and tonumber(queued) ~= us then
      redis.call('ZADD', QUEUE, time, user)
      changed = changed + 1
    end
    if claim and tonumber(claim.score) ~= us then
      claim.score = time
      redis.call('HSET', CLAIMS, user, write_claim(claim))
      changed = changed + 1
    end
  end
end
return changed
