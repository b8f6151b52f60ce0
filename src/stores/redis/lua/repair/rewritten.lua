#!lua flags=allow-oom
-- rewritten: puts a coupon back into service whose hash the service that shares it has written anew, as Spring Data does with DEL and HMSET.
-- Users, claims and the epoch of their life are in keys of their own, and the ledger has the rest. The stock is the service's word: it is
-- taken unless it promises more than there is.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] dead       hash, user -> reason
-- KEYS[5] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- KEYS[6] life       string, epoch
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5] max fence  from the ledger
-- ARGV[6] given back coupons that revocations have put back into the stock, from the ledger
-- ARGV[7] field      that the service has the stock in
-- ARGV[8] state      that an operator last set; '': that of the hash, or open
-- ARGV[9] min fence  from the ledger: the lowest claim that may still issue
-- ARGV[10] last us   latest request time in the ledger, microseconds
-- ARGV[11...]        further field, value pairs: name, window, expiry
--
-- Reply: 'ok'; 'whole' (nobody has written it anew); 'life' (these users are of another life, or none is known); 'stock' (missing, or
-- more than is left). Nothing was written but with 'ok'.

local COUPON, QUEUE, ADMITTED, DEAD, CLAIMS, LIFE = unpack(KEYS, 1, 6)

-- include claim-record
-- include request-time
-- include foreign-number
-- include latest-request

local coupon = redis.call('HMGET', COUPON, 'suspect', 'epoch', 'fence', 'stock', ARGV[7], 'state')
local suspect = coupon[1] or ''
if (suspect ~= '' and suspect ~= 'fields') or (coupon[2] or '') ~= '' then return 'whole' end
if redis.call('GET', LIFE) ~= ARGV[1] then return 'life' end

local returned = tonumber(ARGV[6])
for _, reason in ipairs(redis.call('HVALS', DEAD)) do
  if reason == 'over_promised' then returned = returned + 1 end
end
local stock = foreign_number(coupon[5])
if not stock or stock + redis.call('HLEN', ADMITTED) > tonumber(ARGV[4]) + returned then return 'stock' end

-- A claim whose fence is no longer known is that of a user who is issued.
local fence = tonumber(ARGV[5])
for _, record in ipairs(redis.call('HVALS', CLAIMS)) do
  local claim = read_claim(record)
  if claim then fence = math.max(fence, tonumber(claim.fence)) end
end
local last_us = math.max(tonumber(ARGV[10]), latest_request(QUEUE, CLAIMS, DEAD, ADMITTED))
local state = ARGV[8] ~= '' and ARGV[8] or string.match(coupon[6] or 'open', '^"?(%l+)"?$') or 'paused'

redis.call('HDEL', COUPON, 'ex_date', 'valid_for')
redis.call('HSET', COUPON, 'total', ARGV[4], 'stock', string.format('%d', stock), 'state', state, 'epoch', ARGV[1], 'version', ARGV[3],
  'run', ARGV[2], 'fence', string.format('%d', fence), 'acked', ARGV[5], 'last_us', string.format('%.0f', last_us),
  'returned', string.format('%d', returned), 'given_back', ARGV[6], 'min_fence', ARGV[9], 'suspect', '', unpack(ARGV, 11))
return 'ok'
