#!lua flags=no-writes,allow-oom
-- read-leases: which workers hold users of a coupon, claim by claim, without a walk over the users.
--
-- KEYS[1] leases     sorted set, user -> deadline in milliseconds
-- KEYS[2] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- ARGV[1] limit      claims to look at
--
-- Reply: for each claim its users, their deadline, and the record of one of them (empty: it has none), the earliest deadline first.
-- All users of a claim have one deadline, so the next claim begins after it. Two claims of the same millisecond count as one.

local LEASES, CLAIMS = unpack(KEYS, 1, 2)

local reply, from = {}, '-inf'
for _ = 1, tonumber(ARGV[1]) do
  local first = redis.call('ZRANGE', LEASES, from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  if #first == 0 then break end
  local user, deadline = first[1], first[2]
  reply[#reply + 1] = redis.call('ZCOUNT', LEASES, deadline, deadline)
  reply[#reply + 1] = deadline
  reply[#reply + 1] = redis.call('HGET', CLAIMS, user) or ''
  from = '(' .. deadline
end
return reply
