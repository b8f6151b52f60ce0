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
-- Reply: one word for each user: ok; not_dead; no_stock_field (the stock in Redis is missing: a repair comes first); epoch
-- (another life of the coupon: nothing was written).

local reply = {}
local coupon = redis.call('HMGET', KEYS[1], 'epoch', 'stock')
if coupon[1] ~= ARGV[1] then
  for i = 2, #ARGV do reply[i - 1] = 'epoch' end
  return reply
end
redis.call('ZCARD', KEYS[2])
redis.call('HLEN', KEYS[3])
redis.call('HLEN', KEYS[5])

local function drop(user)
  local reason = redis.call('HGET', KEYS[4], user)
  if not reason then return 'not_dead' end
  if not string.find(coupon[2] or '', '^-?%d+$') then return 'no_stock_field' end
  redis.call('HDEL', KEYS[4], user)
  redis.call('HDEL', KEYS[5], user)
  -- Another service may have queued the user once more.
  redis.call('ZREM', KEYS[2], user)
  if redis.call('HDEL', KEYS[3], user) == 1 then
    -- A user promised beyond the total has given the coupon up already.
    local field, by = 'stock', 1
    if reason == 'over_promised' then field, by = 'returned', -1 end
    redis.call('HINCRBY', KEYS[1], field, by)
  end
  return 'ok'
end

for i = 2, #ARGV do reply[i - 1] = drop(ARGV[i]) end
return reply
