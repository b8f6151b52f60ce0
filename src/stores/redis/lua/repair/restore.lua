#!lua flags=allow-oom
-- restore: the last step of a repair. Settings as the ledger has them, counters that never fall, the stock that follows from who was
-- accepted, and the coupon back in service: all in one step.
--
-- KEYS[1] coupon     hash
-- KEYS[2] admitted   hash, everyone ever accepted; users that another service queued have been adopted
-- KEYS[3] dead       hash, user -> reason
-- KEYS[4] queue      sorted set, user -> score
-- KEYS[5] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5] max fence  from the ledger
-- ARGV[6] last us    latest request time in the ledger and, before it was read, in the claims, microseconds
-- ARGV[7] 'pause', 'reopen', or empty: the state stays
-- ARGV[8] given back coupons that revocations have put back into the stock, from the ledger
-- ARGV[9] min fence  from the ledger: the lowest claim that may still issue
-- ARGV[10...]        further field, value pairs: name, window, expiry
--
-- Reply: 'ok' and the stock; 'epoch' (another life of the coupon); or 'excess' (more users than coupons: the coupon stays as it is).
-- The ledger is known to have reached the fence that it just told. Where nobody is left who was accepted, none of that holds: `admit` would
-- take the record for lost again.
-- `returned` is counted anew, because the field may be lost: each over-promised user has given back exactly one promise, and the ledger
-- knows the rest.

local COUPON, ADMITTED, DEAD, QUEUE, CLAIMS = unpack(KEYS, 1, 5)

-- include claim-record
-- include request-time
-- include latest-request

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return { 'epoch' } end
local returned = tonumber(ARGV[8])
for _, reason in ipairs(redis.call('HVALS', DEAD)) do
  if reason == 'over_promised' then returned = returned + 1 end
end
local admitted = redis.call('HLEN', ADMITTED)
local stock = tonumber(ARGV[4]) + returned - admitted
if stock < 0 then return { 'excess' } end

local coupon = redis.call('HMGET', COUPON, 'fence', 'last_us', 'state', 'acked', 'min_fence')
local function higher(stored, floor)
  return string.format('%.0f', math.max(tonumber(stored or '') or 0, tonumber(floor)))
end
local last_us = math.max(tonumber(ARGV[6]), latest_request(QUEUE, CLAIMS, DEAD, ADMITTED))
-- Another program may have serialised the state. An unknown one becomes paused, until an operator resumes the coupon.
local state = string.lower(string.match(coupon[3] or 'open', '^"?(.-)"?$'))
if state ~= 'open' and state ~= 'closed' then state = 'paused' end
if ARGV[7] == 'pause' and state == 'open' then state = 'paused' end
if ARGV[7] == 'reopen' and state == 'paused' then state = 'open' end
redis.call('HDEL', COUPON, 'ex_date', 'valid_for')
redis.call('HSET', COUPON, 'total', ARGV[4], 'stock', string.format('%d', stock), 'returned', string.format('%d', returned), 'given_back', ARGV[8],
  'version', ARGV[3], 'run', ARGV[2], 'fence', higher(coupon[1], ARGV[5]), 'last_us', higher(coupon[2], last_us), 'state', state,
  'acked', admitted > 0 and higher(coupon[4], ARGV[5]) or '0', 'min_fence', higher(coupon[5], ARGV[9]), 'suspect', '', unpack(ARGV, 10))
return { 'ok', string.format('%d', stock) }
