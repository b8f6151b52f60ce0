#!lua flags=allow-oom
-- verify: compares a coupon in Redis with what the ledger said a moment before, and says whether this server may serve it.
-- A Redis that was restored from an old file, or emptied, is behind the ledger; it must not admit anybody. Values in Redis
-- only rise, so reading the ledger first can never make a healthy live coupon look behind.
--
-- KEYS[1] coupon     hash
-- KEYS[2] life       string, epoch; written for coupons that were seeded before there was one
-- ARGV[1] run id     of this server, as the caller's connection learned it
-- ARGV[2] epoch      from the ledger
-- ARGV[3] max fence  from the ledger: the highest claim number that ever reached it
-- ARGV[4] version    from the ledger
--
-- Reply: 'ok' and acked (the coupon is marked as checked for this run; acked is the highest fence that the ledger is known to have
-- reached: a ledger that is read after this and has less is itself behind), 'gone', or 'suspect' and the reason (fields, epoch,
-- fence, version, stock, or whatever was found before). Only a repair clears suspect.

if redis.call('EXISTS', KEYS[1]) == 0 then return { 'gone' } end
local coupon = redis.call('HMGET', KEYS[1], 'suspect', 'epoch', 'fence', 'version', 'stock', 'total', 'acked')
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
  redis.call('HSET', KEYS[1], 'suspect', reason)
  return { 'suspect', reason }
end
redis.call('HSET', KEYS[1], 'run', ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
return { 'ok', coupon[7] or '0' }
