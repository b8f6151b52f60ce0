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
-- Reply: one word for each user: ok; not_dead; invalid (a name that cannot stand in a key or in the ledger would only be set
-- dead-lettered again); no_stock (promised beyond the total, and there is still no coupon); not_admitted (no request time to put the
-- user back at; a repair makes one); epoch (another life of the coupon: nothing was written).

local reply = {}
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  for i = 2, #ARGV do reply[i - 1] = 'epoch' end
  return reply
end
redis.call('ZCARD', KEYS[2])

local function retry(user)
  local reason = redis.call('HGET', KEYS[4], user)
  if not reason then return 'not_dead' end
  if reason == 'invalid_user_id' or reason == 'looks_serialised' then return 'invalid' end
  local score = string.match(redis.call('HGET', KEYS[3], user) or '', '^([^:]+)')
  if not score then return 'not_admitted' end
  if reason == 'over_promised' then
    -- Such a user gave the coupon up; to come back is to take another.
    if (tonumber(redis.call('HGET', KEYS[1], 'stock') or '') or 0) <= 0 then return 'no_stock' end
    redis.call('HINCRBY', KEYS[1], 'stock', -1)
    redis.call('HINCRBY', KEYS[1], 'returned', -1)
  end
  redis.call('HDEL', KEYS[4], user)
  redis.call('ZADD', KEYS[2], score, user)
  return 'ok'
end

for i = 2, #ARGV do reply[i - 1] = retry(ARGV[i]) end
return reply
