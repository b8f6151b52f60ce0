#!lua flags=allow-oom
-- bind: makes a coupon anew that Redis has lost, or gives one back to the ledger whose hash another program rewrote: out of service
-- (suspect), so that a repair that is not finished admits nobody and issues nothing. No user is touched, and what other programs wrote
-- into the hash stays.
--
-- KEYS[1] coupon     hash
-- KEYS[2] life       string, epoch
-- ARGV[1] epoch      from the ledger
-- ARGV[2] the epoch that the hash was found with; empty: none, or no hash
-- ARGV[3] run id     of this server, as the caller's connection learned it
-- ARGV[4] version    from the ledger
-- ARGV[5] total
-- ARGV[6] fence      that was reached, according to ledger and claims
-- ARGV[7] last us    latest request time in the ledger and, before it was read, in the claims, microseconds
-- ARGV[8] suspect    why it is out of service
-- ARGV[9] state      that an operator last set; '': open. For a hash that has none
-- ARGV[10...]        further field, value pairs: name, window, expiry
--
-- Reply: 'bound', 'changed' (the hash has yet another epoch by now), or 'done' (the adoption was finished meanwhile): then nothing was
-- written.

local COUPON, LIFE = KEYS[1], KEYS[2]

local coupon = redis.call('HMGET', COUPON, 'epoch', 'fence', 'last_us', 'suspect')
local epoch = coupon[1] or ''
if ARGV[8] == 'adopting' and epoch == ARGV[1] and (coupon[4] or '') == '' then return 'done' end
if epoch ~= ARGV[1] and epoch ~= ARGV[2] then return 'changed' end
if redis.call('EXISTS', COUPON) == 0 then
  redis.call('HSET', COUPON, 'total', ARGV[5], 'stock', '0', 'version', ARGV[4], unpack(ARGV, 10))
end
local function higher(stored, floor)
  return string.format('%.0f', math.max(tonumber(stored or '') or 0, tonumber(floor)))
end
redis.call('HSET', COUPON, 'epoch', ARGV[1], 'suspect', ARGV[8], 'run', ARGV[3], 'fence', higher(coupon[2], ARGV[6]),
  'last_us', higher(coupon[3], ARGV[7]))
redis.call('HSETNX', COUPON, 'state', ARGV[9] ~= '' and ARGV[9] or 'open')
for _, counter in ipairs({ 'acked', 'returned' }) do redis.call('HSETNX', COUPON, counter, '0') end
redis.call('SET', LIFE, ARGV[1])
return 'bound'
