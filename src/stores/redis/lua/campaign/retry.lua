#!lua flags=allow-oom
-- retry: puts dead-lettered users back into the queue, each at the original place. Deliveries and faults go on counting.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] dead       hash, user -> reason
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         userId of each. Up to 200.
--
-- Reply: one word for each user: ok; not_dead; invalid (a name that fits neither a key nor the ledger would only be set
-- dead-lettered again); no_stock (promised beyond the total, and there is still no coupon); not_admitted (no request time to put the
-- user back at; a repair makes one); epoch (another life of the coupon: nothing was written).

local COUPON, QUEUE, ADMITTED, DEAD = unpack(KEYS, 1, 4)

local reply = {}
if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then
  for i = 2, #ARGV do reply[i - 1] = 'epoch' end
  return reply
end
redis.call('ZCARD', QUEUE)

local function retry(user)
  local reason = redis.call('HGET', DEAD, user)
  if not reason then return 'not_dead' end
  if reason == 'invalid_user_id' or reason == 'looks_serialised' then return 'invalid' end
  local score = string.match(redis.call('HGET', ADMITTED, user) or '', '^([^:]+)')
  if not score then return 'not_admitted' end
  if reason == 'over_promised' then
    -- Such a user gave the coupon up; to come back is to take another.
    if (tonumber(redis.call('HGET', COUPON, 'stock') or '') or 0) <= 0 then return 'no_stock' end
    redis.call('HINCRBY', COUPON, 'stock', -1)
    -- The field may be lost; a repair counts it anew.
    if (tonumber(redis.call('HGET', COUPON, 'returned') or '') or 0) > 0 then redis.call('HINCRBY', COUPON, 'returned', -1) end
  end
  redis.call('HDEL', DEAD, user)
  redis.call('ZADD', QUEUE, score, user)
  return 'ok'
end

for i = 2, #ARGV do reply[i - 1] = retry(ARGV[i]) end
return reply
