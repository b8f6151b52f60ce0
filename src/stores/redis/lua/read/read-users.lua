#!lua flags=no-writes,allow-oom
-- read-users: everything that is known about some users of one coupon, at one instant.
--
-- KEYS[1] admitted   hash, user -> "score:requestId"
-- KEYS[2] queue      sorted set, user -> score; in the reply: waiting
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] claims     hash
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6...] issued  hash of each user, in the order of ARGV
-- ARGV[1...]         userIds, up to 250: so many hold Redis for about 1 ms
--
-- Reply: JSON of an object with the names above and a list for each, with one entry per user: a string, or false where there
-- is nothing; of an issued hash: field, value, field, value…, of a key of another type there: that type. One text costs a client a quarter of what many replies do.

local ADMITTED, QUEUE, LEASES, CLAIMS, DEAD = unpack(KEYS, 1, 5)
local ISSUED = { unpack(KEYS, 6) }

local issued = {}
for i = 1, #ARGV do
  local hash = redis.pcall('HGETALL', ISSUED[i])
  issued[i] = hash.err and redis.call('TYPE', ISSUED[i]).ok or #hash > 0 and hash
end

return cjson.encode({
  admitted = redis.call('HMGET', ADMITTED, unpack(ARGV)),
  waiting = redis.call('ZMSCORE', QUEUE, unpack(ARGV)),
  leases = redis.call('ZMSCORE', LEASES, unpack(ARGV)),
  claims = redis.call('HMGET', CLAIMS, unpack(ARGV)),
  dead = redis.call('HMGET', DEAD, unpack(ARGV)),
  issued = issued,
})
