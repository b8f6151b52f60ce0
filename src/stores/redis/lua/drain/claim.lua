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
-- ARGV[6] hold       milliseconds for which the backlog is this worker's alone, counted anew by each such claim; 0: claim beside a holder
--
-- Reply: status; if 'ok' then fence, reclaimed, buried, waiting (left behind), acked (the highest fence that the ledger is known
-- to have reached), a list of user, reason of those that this claim dead-lettered, a list of user, score of those whose score is no
-- time, and one text of user, score, deliveries for each claim, all between tabs.
-- status: ok, gone (no such coupon), epoch (another life of the coupon), run (not checked since this server started),
-- suspect and the reason, held (another worker holds the backlog) and its name, waiting.
-- State and window do not matter here: users who were accepted before the close are issued after it.
-- Other services write scores in other units, in one queue. The oldest are found by time, whatever the unit, and a claim puts its
-- users on one scale: microseconds. A score that is no time counts as the next request of the coupon: now, or after all that were
-- accepted, even by a clock that was ahead.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 6)

-- include claim-record
-- include request-time
-- include lost-admissions

local coupon = redis.call('HMGET', COUPON, 'total', 'epoch', 'run', 'suspect', 'acked', 'fence', 'last_us', 'drained_by')
if not coupon[1] then return { redis.call('EXISTS', COUPON) == 1 and 'epoch' or 'gone' } end
if coupon[2] ~= ARGV[2] then return { 'epoch' } end
if coupon[4] and coupon[4] ~= '' then return { 'suspect', coupon[4] } end
if coupon[3] ~= ARGV[1] then return { 'run' } end
if not coupon[6] then
  -- Invented, the number would be given twice.
  redis.call('HSET', COUPON, 'suspect', 'fields')
  return { 'suspect', 'fields' }
end
if not string.find(coupon[6], '^%d+$') then
  -- HINCRBY would fail half-way. Only a repair knows the number that the ledger has reached.
  redis.call('HSET', COUPON, 'suspect', 'fence')
  return { 'suspect', 'fence' }
end

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', QUEUE)
redis.call('HLEN', CLAIMS)
-- A claim would begin the record anew with those who wait, and nobody could see any more that it was lost.
local dead_letters = redis.call('HLEN', DEAD)
if admissions_lost(coupon[5], redis.call('HLEN', ADMITTED), redis.call('ZCARD', LEASES) + dead_letters) then
  redis.call('HSET', COUPON, 'suspect', 'admitted')
  return { 'suspect', 'admitted' }
end

local limit, lease, worker = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- A holder that says nothing more, or beyond any time that it could have asked for, has let go.
local hold = tonumber(ARGV[6])
local holder, held_until = string.match(coupon[8] or '', '^([^:]*):(%d+)$')
held_until = tonumber(held_until) or 0
if hold > 0 and holder ~= worker and held_until > now and held_until <= now + 2 * hold then
  return { 'held', holder, tostring(redis.call('ZCARD', QUEUE)) }
end

-- The next request time of this coupon; where a clock once was beyond all times, that of now.
local last_us = math.max(now_us, (tonumber(coupon[7] or '') or 0) + 1)
if last_us >= LAST * 1e6 then last_us = now_us end

-- A lease that ran out goes back to its original place. So does one that would last longer than a new one, and longer than twice its own
-- length: the clock was set back since it was given, and no user should wait hours for it.
local reclaimed = 0
local function give_back(user)
  local claim = read_claim(redis.call('HGET', CLAIMS, user))
  if claim then
    redis.call('ZADD', QUEUE, claim.score, user)
    redis.call('ZREM', LEASES, user)
    reclaimed = reclaimed + 1
  end
end
for _, user in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', string.format('%.0f', now), 'LIMIT', 0, 200)) do
  give_back(user)
end
local beyond = redis.call('ZRANGE', LEASES, '+inf', string.format('(%.0f', now + lease), 'BYSCORE', 'REV', 'LIMIT', 0, 200, 'WITHSCORES')
for i = 1, #beyond, 2 do
  local claim = read_claim(redis.call('HGET', CLAIMS, beyond[i]))
  if claim and tonumber(beyond[i + 1]) > now + 2 * claim.lease then give_back(beyond[i]) end
end

-- The oldest of the queue, as lists: users, scores, times (microseconds; false: no time), exact (the score is the time, in digits).
local function candidates()
  local users, scores, times, exact, ranges = {}, {}, {}, {}, 0
  local function add(from, to)
    local flat, n = redis.call('ZRANGEBYSCORE', QUEUE, from, to, 'WITHSCORES', 'LIMIT', 0, limit), #users
    for i = 1, #flat, 2 do
      n = n + 1
      local us, is_exact = score_us(flat[i + 1])
      users[n], scores[n], times[n], exact[n] = flat[i], flat[i + 1], us or false, is_exact or false
    end
    if #flat > 0 then ranges = ranges + 1 end
  end
  local between = '-inf'
  for _, unit in ipairs(UNITS) do
    local first, last = string.format('%.0f', FIRST * unit), string.format('%.0f', LAST * unit)
    add(first, '(' .. last)
    add(between, '(' .. first)
    between = last
  end
  add(between, '+inf')
  -- One range is in order already.
  if ranges <= 1 then return users, scores, times, exact end
  local order = {}
  for i = 1, #users do order[i] = i end
  table.sort(order, function(a, b)
    local first, second = times[a] or last_us, times[b] or last_us
    if first ~= second then return first < second end
    return a < b
  end)
  local function ordered(list)
    local sorted = {}
    for i = 1, math.min(limit, #order) do sorted[i] = list[order[i]] end
    return sorted
  end
  return ordered(users), ordered(scores), ordered(times), ordered(exact)
end

-- The rule of campaign/ids.ts: why this member cannot be a user id. Such a name fits neither a key nor the ledger, or is what a
-- serializer made of one: a second person beside the user.
local function fault(user)
  -- What nearly all are: no byte that is refused anywhere, none that begins a serialised text, and no backslash.
  if #user <= 128 and string.find(user, '^[!#-Z^-z|~][!-Z^-z|~]*$') then return nil end
  if string.find(user, '^["%[{]') or string.sub(user, 1, 2) == '\172\237' then return 'looks_serialised' end
  if #user > 128 or not string.find(user, '^[!-z|~]+$') or string.find(user, '\\x%x%x') then return 'invalid_user_id' end
  return nil
end

-- The request time of a member whose score is no time: that of the admission, else now.
local function time_of(record)
  local us = score_us(record and string.match(record, '^([^:]+)'))
  if not us then
    us, last_us = last_us, last_us + 1
    if us > (tonumber(coupon[7] or '') or 0) then redis.call('HSET', COUPON, 'last_us', string.format('%.0f', us)) end
  end
  return us
end

local users, scores, times, exact = candidates()
local dead, timeless = {}, {}
local reply = { 'ok', '', '', '', '', coupon[5] or '0', dead, timeless }
local claimed, buried, fence = {}, 0, 0

if #users > 0 then
  local records = redis.call('HMGET', ADMITTED, unpack(users))
  local reasons = dead_letters > 0 and redis.call('HMGET', DEAD, unpack(users)) or {}
  local before = redis.call('HMGET', CLAIMS, unpack(users))
  local deadline = string.format('%.0f', now + lease)
  -- Field, value, or score, member: each list is written at once.
  local admitted, claims, leases = {}, {}, {}
  local n, head, tail = 0, nil, nil
  for i, user in ipairs(users) do
    local record, us = records[i], times[i]
    if not us then
      us = time_of(record)
      timeless[#timeless + 1] = user
      timeless[#timeless + 1] = scores[i]
    end
    local score = exact[i] and scores[i] or string.format('%.0f', us)
    -- Another service may have queued this user: from here on it counts like one that we admitted.
    if not record or not times[i] then
      admitted[#admitted + 1] = user
      admitted[#admitted + 1] = score .. ':' .. (record and string.match(record, ':(.*)$') or '')
    end
    local reason = fault(user)
    if reasons[i] then
      buried = buried + 1
    elseif reason then
      redis.call('HSET', DEAD, user, reason)
      redis.call('HDEL', CLAIMS, user)
      dead[#dead + 1] = user
      dead[#dead + 1] = reason
      buried = buried + 1
    else
      if fence == 0 then
        fence = redis.call('HINCRBY', COUPON, 'fence', 1)
        -- The record of a first claim is the same for all users of a batch but for the score.
        head, tail = string.match(write_claim({ fence = fence, worker = worker, score = '', lease = lease, deliveries = 1, faults = 0 }),
          '^(%d+:[^:]*:)(.*)$')
      end
      local last = before[i] and read_claim(before[i])
      local deliveries = (last and last.deliveries or 0) + 1
      n = n + 1
      claims[2 * n - 1] = user
      claims[2 * n] = last
        and write_claim({ fence = fence, worker = worker, score = score, lease = lease, deliveries = deliveries, faults = last.faults })
        or head .. score .. tail
      leases[2 * n - 1], leases[2 * n] = deadline, user
      claimed[3 * n - 2], claimed[3 * n - 1], claimed[3 * n] = user, score, deliveries
    end
  end
  redis.call('ZREM', QUEUE, unpack(users))
  if hold > 0 and (holder ~= worker or held_until < now + hold / 2) then
    redis.call('HSET', COUPON, 'drained_by', worker .. ':' .. string.format('%.0f', now + hold))
  end
  if #admitted > 0 then redis.call('HSET', ADMITTED, unpack(admitted)) end
  if n > 0 then
    redis.call('HSET', CLAIMS, unpack(claims))
    redis.call('ZADD', LEASES, unpack(leases))
  end
end

reply[2], reply[3], reply[4] = tostring(fence), tostring(reclaimed), tostring(buried)
reply[5] = tostring(redis.call('ZCARD', QUEUE))
reply[9] = table.concat(claimed, '\t')
return reply
