#!lua flags=allow-oom
-- take-over: gives users of a queue that another service wrote the form in which they are kept here: a plain user id, a request time in
-- microseconds, and an admission. The coupon is out of service meanwhile, and no worker claims from it.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2...]         member, userId, request time in microseconds ('': the user has a coupon, and the member goes) of each. Up to 200.
--
-- Reply: 'ok'; 'epoch' (another life of the coupon); 'done' (the adoption was finished meanwhile, by the same command elsewhere). Nothing
-- was written but with 'ok'. It can be repeated without harm.

local COUPON, QUEUE, ADMITTED = unpack(KEYS, 1, 3)

local coupon = redis.call('HMGET', COUPON, 'epoch', 'suspect')
if coupon[1] ~= ARGV[1] then return 'epoch' end
if (coupon[2] or '') == '' then return 'done' end
-- WRONGTYPE must strike before the first write.
redis.call('ZCARD', QUEUE)
redis.call('HLEN', ADMITTED)

for i = 2, #ARGV, 3 do
  local member, user, us = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if member ~= user or us == '' then redis.call('ZREM', QUEUE, member) end
  if us ~= '' then
    redis.call('ZADD', QUEUE, us, user)
    redis.call('HSETNX', ADMITTED, user, us .. ':')
  end
end
return 'ok'
