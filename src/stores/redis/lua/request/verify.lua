#!lua flags=allow-oom
-- verify: compares a coupon in Redis with what the ledger said a moment before, and says whether this server may serve it.
-- A Redis that was restored from an old file, or emptied, is behind the ledger; it must not admit anybody. Values in Redis
-- only rise, so reading the ledger first can never make a healthy live coupon look behind.
--
-- KEYS[1] coupon     hash
-- KEYS[2] life       string, epoch; written for coupons that were seeded before there was one
-- ARGV[1] run id     of this server, as the caller's connection learned it
-- ARGV[2] epoch      from the ledger
-- ARGV[3] max fence  from the ledger: the highest fence that ever reached it
-- ARGV[4] version    from the ledger
--
-- The window is read here, so that admission only compares numbers: `opens_ms` and `closes_ms` (0: none), and `window`, the texts that
-- they were read from. Texts that are no times leave none of the three.
--
-- Reply: 'ok' and acked (the coupon is marked as checked for this run; acked is the highest fence that the ledger is known to have
-- reached: a ledger that is read after this and has less is itself behind), 'gone', or 'suspect' and the reason (fields, epoch,
-- fence, version, stock, or whatever was found before). Only a repair clears suspect.

local COUPON, LIFE = KEYS[1], KEYS[2]

-- include foreign-time

if redis.call('EXISTS', COUPON) == 0 then return { 'gone' } end
local coupon = redis.call('HMGET', COUPON, 'suspect', 'epoch', 'fence', 'version', 'stock', 'total', 'acked')
if coupon[1] and coupon[1] ~= '' then return { 'suspect', coupon[1] } end

local reason
if (coupon[2] or '') == '' or not coupon[3] then
  -- Another program rewrote the hash. The users are in keys of their own.
  reason = 'fields'
elseif coupon[2] ~= ARGV[2] then
  reason = 'epoch'
elseif (tonumber(coupon[3] or '') or 0) < tonumber(ARGV[3]) then
  reason = 'fence'
elseif (tonumber(coupon[4] or '') or 0) < tonumber(ARGV[4]) then
  reason = 'version'
elseif not string.find(coupon[5] or '', '^-?%d+$') or not tonumber(coupon[6] or '') then
  reason = 'stock'
end
if reason then
  redis.call('HSET', COUPON, 'suspect', reason)
  return { 'suspect', reason }
end

local times = redis.call('HMGET', COUPON, 'opens_at', 'closes_at')
local opens_at, closes_at = times[1] or '', times[2] or ''
local opens_us, closes_us = foreign_time(opens_at), foreign_time(closes_at)
if opens_us and closes_us then
  redis.call('HSET', COUPON, 'window', opens_at .. ' ' .. closes_at, 'opens_ms', string.format('%.0f', math.floor(opens_us / 1000)),
    'closes_ms', string.format('%.0f', math.floor(closes_us / 1000)))
else
  redis.call('HDEL', COUPON, 'window', 'opens_ms', 'closes_ms')
end
redis.call('HSET', COUPON, 'run', ARGV[1])
redis.call('SET', LIFE, ARGV[2])
return { 'ok', coupon[7] or '0' }
