#!lua flags=allow-oom
-- claim: leases the users who have waited longest to one worker, for a limited time.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline in milliseconds
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] run id     of this server, as the caller's connection learned it
-- ARGV[2] epoch      of the coupon, from the ledger
-- ARGV[3] limit      1 to 200 users
-- ARGV[4] lease      milliseconds
-- ARGV[5] worker     its name, without ':'
--
-- Reply: status; if 'ok' then fence, reclaimed, buried, waiting (left behind), acked (the highest fence that the ledger is known
-- to have reached), and user, score, deliveries of each claim.
-- status: ok, gone (no such coupon), epoch (another life of the coupon), run (not checked since this server started),
-- suspect and the reason.
-- State and window do not matter here: whoever was accepted before the close is issued after it.

local coupon = redis.call('HMGET', KEYS[1], 'total', 'epoch', 'run', 'suspect', 'acked')
if not coupon[1] then return { 'gone' } end
if coupon[2] ~= ARGV[2] then return { 'epoch' } end
if coupon[4] and coupon[4] ~= '' then return { 'suspect', coupon[4] } end
if coupon[3] ~= ARGV[1] then return { 'run' } end

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', KEYS[2])
redis.call('HLEN', KEYS[3])
redis.call('HLEN', KEYS[5])
redis.call('HLEN', KEYS[6])

local limit, lease, worker = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function parse(claim)
  local fence, holder, score, length, deliveries, faults = string.match(claim, '^(%d+):([^:]*):([^:]+):(%d+):(%d+):(%d+)$')
  if not fence then return nil end
  return { score = score, lease = tonumber(length), deliveries = tonumber(deliveries), faults = tonumber(faults) }
end

-- A lease that ran out goes back to its original place. So does one that would last longer than twice its own length:
-- the clock was set back since it was given, and nobody should wait hours for it.
local reclaimed = 0
local function give_back(user)
  local claim = parse(redis.call('HGET', KEYS[6], user) or '')
  if claim then
    redis.call('ZADD', KEYS[2], claim.score, user)
    redis.call('ZREM', KEYS[4], user)
    reclaimed = reclaimed + 1
  end
end
for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now), 'LIMIT', 0, 200)) do
  give_back(user)
end
local latest = redis.call('ZRANGE', KEYS[4], 0, 99, 'REV', 'WITHSCORES')
for i = 1, #latest, 2 do
  local claim = parse(redis.call('HGET', KEYS[6], latest[i]) or '')
  if claim and tonumber(latest[i + 1]) > now + 2 * claim.lease then give_back(latest[i]) end
end

local oldest = redis.call('ZRANGE', KEYS[2], 0, limit - 1, 'WITHSCORES')
local reply = { 'ok', '', '', '', '', coupon[5] or '0' }
local buried, fence = 0, 0
local deadline = string.format('%.0f', now + lease)
for i = 1, #oldest, 2 do
  local user, score = oldest[i], oldest[i + 1]
  -- Another service may have queued this user: from here on it counts like one that we admitted.
  redis.call('HSETNX', KEYS[3], user, score .. ':')
  redis.call('ZREM', KEYS[2], user)
  if redis.call('HEXISTS', KEYS[5], user) == 1 then
    buried = buried + 1
  elseif #user > 128 or not string.find(user, '^[!-z|~]+$') then
    -- The rule of campaign/ids.ts. Such a name cannot stand in a key or in the ledger.
    redis.call('HSET', KEYS[5], user, 'invalid_user_id')
    redis.call('HDEL', KEYS[6], user)
    buried = buried + 1
  else
    if fence == 0 then fence = redis.call('HINCRBY', KEYS[1], 'fence', 1) end
    local before = parse(redis.call('HGET', KEYS[6], user) or '')
    local deliveries = (before and before.deliveries or 0) + 1
    local faults = before and before.faults or 0
    redis.call('HSET', KEYS[6], user, string.format('%d:%s:%s:%d:%d:%d', fence, worker, score, lease, deliveries, faults))
    redis.call('ZADD', KEYS[4], deadline, user)
    reply[#reply + 1] = user
    reply[#reply + 1] = score
    reply[#reply + 1] = tostring(deliveries)
  end
end

reply[2], reply[3], reply[4] = tostring(fence), tostring(reclaimed), tostring(buried)
reply[5] = tostring(redis.call('ZCARD', KEYS[2]))
return reply
