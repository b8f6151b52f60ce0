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

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', KEYS[2])
redis.call('HLEN', KEYS[3])
redis.call('ZCARD', KEYS[4])
redis.call('HLEN', KEYS[5])
redis.call('HLEN', KEYS[6])

local function now_us()
  local time = redis.call('TIME')
  local us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  us = math.max(us, (tonumber(redis.call('HGET', KEYS[1], 'last_us') or '') or 0) + 1)
  redis.call('HSET', KEYS[1], 'last_us', string.format('%.0f', us))
  return string.format('%.0f', us)
end

-- A score in microseconds (campaign/coupon.ts); nil for none, and for one that is no time.
local function micros(score)
  local number = tonumber(score or '')
  for _, unit in ipairs({ 1, 1e3, 1e6, 1e9 }) do
    if number and number >= 978307200 * unit and number < 4102444800 * unit then
      return string.format('%.0f', math.floor((unit == 1e9 and number / 1e3 or number * (1e6 / unit)) + 0.5))
    end
  end
  return nil
end

local changed = 0
for i = 2, #ARGV, 2 do
  local user, in_ledger = ARGV[i], ARGV[i + 1]
  local score, request = string.match(redis.call('HGET', KEYS[3], user) or '', '^([^:]*):(.*)$')
  local queued = redis.call('ZSCORE', KEYS[2], user)
  local head, claimed, tail = string.match(redis.call('HGET', KEYS[6], user) or '', '^(%d+:[^:]*:)([^:]+)(:%d+:%d+:%d+)$')
  local held = redis.call('ZSCORE', KEYS[4], user) or redis.call('HEXISTS', KEYS[5], user) == 1
  if in_ledger ~= '' or score or queued or claimed or held then
    local time = in_ledger ~= '' and in_ledger or micros(score) or micros(queued) or micros(claimed) or now_us()
    if score == nil or tonumber(score) ~= tonumber(time) then
      redis.call('HSET', KEYS[3], user, time .. ':' .. (request or ''))
      changed = changed + 1
    end
    if queued and tonumber(queued) ~= tonumber(time) then
      redis.call('ZADD', KEYS[2], time, user)
      changed = changed + 1
    end
    if claimed and tonumber(claimed) ~= tonumber(time) then
      redis.call('HSET', KEYS[6], user, head .. time .. tail)
      changed = changed + 1
    end
  end
end
return changed
