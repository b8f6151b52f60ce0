#!lua flags=allow-oom
-- restore: the last step of a repair. Settings as the ledger has them, counters that never fall, the stock that follows from who was
-- accepted, and the coupon back in service: all in one step.
--
-- KEYS[1] coupon     hash
-- KEYS[2] admitted   hash, everyone ever accepted; whoever another service queued has been adopted
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5] max fence  from the ledger
-- ARGV[6] last us    latest request time in the ledger, microseconds
-- ARGV[7...]         further field, value pairs: name, window, expiry
--
-- Reply: 'ok' and the stock; 'epoch' (another life of the coupon); or 'excess' (more promises than pieces: the coupon stays as it is).

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return { 'epoch' } end
local total = tonumber(ARGV[4])
local coupon = redis.call('HMGET', KEYS[1], 'returned', 'fence', 'last_us')
local stock = total + (tonumber(coupon[1] or '') or 0) - redis.call('HLEN', KEYS[2])
if stock < 0 then return { 'excess' } end

local function higher(stored, floor)
  return string.format('%.0f', math.max(tonumber(stored or '') or 0, tonumber(floor)))
end
redis.call('HDEL', KEYS[1], 'ex_date', 'valid_for')
redis.call('HSET', KEYS[1], 'total', ARGV[4], 'stock', string.format('%d', stock), 'version', ARGV[3], 'run', ARGV[2],
  'fence', higher(coupon[2], ARGV[5]), 'last_us', higher(coupon[3], ARGV[6]), 'suspect', '', unpack(ARGV, 7))
return { 'ok', string.format('%d', stock) }
