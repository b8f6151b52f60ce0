#!lua flags=allow-oom
-- ack: makes what the ledger holds visible in Redis, and gives the claims up. It can be repeated without harm, and a late
-- worker may call it: the rows come from the ledger, which has the last word. Only a forgotten user may have another name by then.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] claims     hash
-- KEYS[5] dead       hash, user -> reason
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] couponId
-- ARGV[3] fence      the highest of these rows: the ledger has reached it, and must never again be found below it
-- ARGV[4]            key of an issued hash, up to the user id; `hash-tag` keys are all in the slot of KEYS
-- ARGV[5]            a line of userId, requested_at for each row, between tabs, '' for that of the line before; and where they are not those
--                    of the line before, the ex_date, issued_at, used_at, revoked_at; '' for no time. Up to 200 rows.
-- ARGV[6] claim      the lowest one of a worker that remembers these rows; '': they were just read
--
-- Reply: 'epoch' (another life of the coupon, or none) or 'ended' (`forget` has ended this claim), and nothing was written; else 'ok' and
-- user, type of each issued key that holds another type than a hash. It is left as it is; its user is issued all the same, and gives the
-- claim up.
-- A used_at or revoked_at that is a time is never changed; text that is none gives way to what the ledger says. A user with a row is
-- no longer dead.

local COUPON, QUEUE, LEASES, CLAIMS, DEAD = unpack(KEYS, 1, 5)
local ISSUED_PREFIX = ARGV[4]

-- include foreign-time

local coupon = redis.call('HMGET', COUPON, 'epoch', 'min_fence')
if coupon[1] ~= ARGV[1] then return { 'epoch' } end
if (tonumber(ARGV[6]) or math.huge) < (tonumber(coupon[2] or '') or 0) then return { 'ended' } end

-- Another program may have written 'null', or anything else.
local function time_or(text, otherwise)
  return text and text ~= '' and (foreign_time(text) or 0) ~= 0 and text or otherwise
end

-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', QUEUE)
redis.call('ZCARD', LEASES)
redis.call('HLEN', CLAIMS)
local dead_letters = redis.call('HLEN', DEAD)

local users, issued, requested, times, count = {}, {}, {}, {}, 0
local asked, shared
for user, own, rest in string.gmatch(ARGV[5], '([^\t\n]*)\t([^\t\n]*)([^\n]*)\n') do
  if rest ~= '' then
    local ex, given, used, revoked = string.match(rest, '^\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
    shared = { ex = ex, given = given, used = used, revoked = revoked }
  end
  if own ~= '' then asked = own end
  count = count + 1
  users[count], issued[count], requested[count], times[count] = user, ISSUED_PREFIX .. user, asked, shared
end

-- What another program, or a use, has written there already: hardly ever anything, so one call asks about all.
local reply, kept, none = { 'ok' }, {}, { false, false }
local any = count > 0 and redis.call('EXISTS', unpack(issued)) > 0
for i = 1, count do
  local fields = any and redis.pcall('HMGET', issued[i], 'used_at', 'revoked_at') or none
  if fields.err then
    reply[#reply + 1] = users[i]
    reply[#reply + 1] = redis.call('TYPE', issued[i]).ok
  else
    kept[i] = fields
  end
end

if (tonumber(redis.call('HGET', COUPON, 'acked') or '') or 0) < tonumber(ARGV[3]) then
  redis.call('HSET', COUPON, 'acked', ARGV[3])
end

for i = 1, count do
  if kept[i] then
    local used = time_or(kept[i][1], times[i].used)
    local revoked = time_or(kept[i][2], times[i].revoked)
    redis.call('HSET', issued[i], 'userId', users[i], 'couponId', ARGV[2], 'ex_date', times[i].ex, 'used_at', used,
      'requested_at', requested[i], 'issued_at', times[i].given)
    if revoked ~= '' then
      redis.call('HSET', issued[i], 'revoked_at', revoked)
    elseif kept[i][2] then
      redis.call('HDEL', issued[i], 'revoked_at')
    end
  end
end
if count == 0 then return reply end

redis.call('ZREM', QUEUE, unpack(users))
redis.call('ZREM', LEASES, unpack(users))
redis.call('HDEL', CLAIMS, unpack(users))
-- Hardly ever is anybody dead.
for i, reason in ipairs(dead_letters > 0 and redis.call('HMGET', DEAD, unpack(users)) or {}) do
  if reason then
    redis.call('HDEL', DEAD, users[i])
    -- The coupon that an over-promised user gave up is taken after all, from the stock if there is any: it must not be promised again.
    if reason == 'over_promised' then
      local numbers = redis.call('HMGET', COUPON, 'returned', 'stock')
      for k, field in ipairs({ 'returned', 'stock' }) do
        if (tonumber(numbers[k] or '') or 0) > 0 then redis.call('HINCRBY', COUPON, field, -1) end
      end
    end
  end
end
return reply
