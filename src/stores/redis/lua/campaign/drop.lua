#!lua flags=allow-oom
-- drop: gives up dead-lettered users. Their requests are forgotten, so that they may ask again, and their coupons go back
-- to the stock, all in one step.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] dead       hash, user -> reason
-- KEYS[5] claims     hash
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId of each, none of them in the ledger. Up to 200.
--
-- Reply: one word for each user: ok; not_dead; not_admitted (the request was lost, and so what is to go back: a repair comes first);
-- no_stock_field (the stock in Redis is missing: likewise); epoch (another life of the coupon: nothing was written).

local COUPON, QUEUE, ADMITTED, DEAD, CLAIMS = unpack(KEYS, 1, 5)

local reply = {}
local coupon = redis.call('HMGET', COUPON, 'epoch', 'stock', 'returned')
if coupon[1] ~= ARGV[1] then
  for i = 2, #ARGV do reply[i - 1] = 'epoch' end
  return reply
end
redis.call('ZCARD', QUEUE)
redis.call('HLEN', ADMITTED)
redis.call('HLEN', CLAIMS)

local returned = tonumber(coupon[3] or '') or 0
local function drop(user)
  local reason = redis.call('HGET', DEAD, user)
  if not reason then return 'not_dead' end
  if redis.call('HEXISTS', ADMITTED, user) == 0 then return 'not_admitted' end
  if not string.find(coupon[2] or '', '^-?%d+$') then return 'no_stock_field' end
  redis.call('HDEL', DEAD, user)
  redis.call('HDEL', CLAIMS, user)
  -- Another service may have queued the user once more.
  redis.call('ZREM', QUEUE, user)
  redis.call('HDEL', ADMITTED, user)
  if reason ~= 'over_promised' then
    redis.call('HINCRBY', COUPON, 'stock', 1)
  elseif returned > 0 then
    -- Such a user has given the coupon up already. The field may be lost; a repair counts it anew.
    redis.call('HINCRBY', COUPON, 'returned', -1)
    returned = returned - 1
  end
  return 'ok'
end

for i = 2, #ARGV do reply[i - 1] = drop(ARGV[i]) end
return reply
