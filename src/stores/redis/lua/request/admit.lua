#!lua
-- admit: decides on one batch of requests for one coupon, in order of arrival. All checks and all writes of a request happen
-- here, in one step: three separate calls leak stock when a waiting user asks again, and drive it below zero.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score (microseconds, strictly rising)
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline
-- KEYS[5] dead       hash, user -> reason
-- ARGV[1]            run id of this server, as the caller's connection learned it
-- ARGV[2]            key of an issued hash, up to the user id; `hash-tag` keys are all in the slot of KEYS
-- ARGV[3]            the batch: a line `userId TAB requestId` for each request
--
-- Reply: a line `outcome place score` for each request; place and score are '-' where there is none. The score of not_yet_open and closed
-- is the time that belongs to it, in milliseconds. One text each way, because three texts for each request cost Redis and its client more
-- than the decision does.
-- Without the record of who was accepted before, some would be accepted once more: the coupon is then marked suspect, as by `suspect`.
-- The first rule that applies wins: unknown_coupon, accepted (same request again), duplicate, unavailable, closed, not_open, not_yet_open,
-- sold_out, accepted. A user whose issued key holds another type than a hash is unavailable: what it says is unknown. Without allow-oom the
-- script is refused as a whole at the memory limit.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD = unpack(KEYS, 1, 5)
local ISSUED_PREFIX = ARGV[2]

-- include refusal
-- include lost-admissions

local reply = {}
local function answer(outcome, place, score)
  reply[#reply + 1] = outcome .. ' ' .. (place or '-') .. ' ' .. (score or '-')
end

if redis.call('EXISTS', COUPON) == 0 then
  for _ in string.gmatch(ARGV[3], '\n') do answer('unknown_coupon') end
  return table.concat(reply, '\n')
end

local coupon = read_refusal(COUPON, ARGV[1])
local refusal, stock, now_us = coupon.refusal, coupon.stock, coupon.now_us
local refused_at = coupon.at_ms and string.format('%.0f', coupon.at_ms)

-- WRONGTYPE must strike before the first write, so the queue is looked at first.
redis.call('ZCARD', QUEUE)
if admissions_lost(coupon.acked, redis.call('HLEN', ADMITTED), redis.call('ZCARD', LEASES) + redis.call('HLEN', DEAD)) then
  if coupon.suspect == '' then redis.call('HSET', COUPON, 'suspect', 'admitted') end
  refusal, refused_at = 'unavailable', nil
end

local users, requests = {}, {}
for user, request in string.gmatch(ARGV[3], '([^\t\n]+)\t([^\t\n]*)\n') do
  users[#users + 1] = user
  requests[#requests + 1] = request
end
-- A call for each user would cost more than the decision.
local admissions = redis.call('HMGET', ADMITTED, unpack(users))
local waiting = redis.call('ZMSCORE', QUEUE, unpack(users))
local unseen = {}
for i = 1, #users do
  if not admissions[i] and not waiting[i] then unseen[#unseen + 1] = ISSUED_PREFIX .. users[i] end
end
local issued_without_admission = #unseen > 0 and redis.call('EXISTS', unpack(unseen)) > 0

local last_us = tonumber(coupon.last_us) or 0
local queue, admitted, batch = {}, {}, {}

-- The first of issued, dead, claimed, waiting. Users that this batch accepted are in the queue as soon as it ends.
local function place(i)
  local user = users[i]
  if redis.call('TYPE', ISSUED_PREFIX .. user).ok == 'hash' then return 'issued' end
  if redis.call('HEXISTS', DEAD, user) == 1 then return 'dead' end
  if redis.call('ZSCORE', LEASES, user) then return 'claimed' end
  if batch[user] or waiting[i] then return 'waiting' end
  return 'admitted'
end

for i = 1, #users do
  local user, request = users[i], requests[i]
  local known = batch[user] or admissions[i]
  if known then
    local score, first = string.match(known, '^([^:]*):(.*)$')
    local same = first ~= '' and first == request
    answer(same and 'accepted' or 'duplicate', place(i), string.match(score, '^%S+$'))
  elseif waiting[i] then
    answer('duplicate', place(i), waiting[i])
  else
    local type = issued_without_admission and redis.call('TYPE', ISSUED_PREFIX .. user).ok or 'none'
    if type == 'hash' then
      answer('duplicate', 'issued')
    elseif type ~= 'none' then
      answer('unavailable')
    elseif refusal then
      answer(refusal, nil, refused_at)
    elseif stock <= 0 then
      answer('sold_out')
    else
      last_us = math.max(now_us, last_us + 1)
      stock = stock - 1
      -- tostring() would round: Lua prints numbers with 14 digits, microseconds have 16.
      local score = string.format('%.0f', last_us)
      batch[user] = score .. ':' .. request
      queue[#queue + 1] = score
      queue[#queue + 1] = user
      admitted[#admitted + 1] = user
      admitted[#admitted + 1] = batch[user]
      answer('accepted', 'waiting', score)
    end
  end
end

local accepted = #queue / 2
if accepted > 0 then
  redis.call('HINCRBY', COUPON, 'stock', -accepted)
  redis.call('HSET', COUPON, 'last_us', string.format('%.0f', last_us))
  for from = 1, #queue, 1000 do
    local to = math.min(from + 999, #queue)
    redis.call('HSET', ADMITTED, unpack(admitted, from, to))
    redis.call('ZADD', QUEUE, unpack(queue, from, to))
  end
end
return table.concat(reply, '\n')
