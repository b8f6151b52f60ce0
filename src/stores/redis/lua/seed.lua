#!lua
-- seed: writes a new coupon. Nothing that stands already is touched.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set
-- KEYS[3] admitted   hash
-- KEYS[4] leases     sorted set
-- KEYS[5] dead       hash
-- KEYS[6] claims     hash
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5...]         further field, value pairs: name, window, expiry
--
-- Reply: 'created'; 'exists' (this very seeding wrote it already); 'foreign' (somebody else's coupon stands there);
-- 'leftovers' (no coupon, but a queue or records of one). Without allow-oom it is refused as a whole at the memory limit.

if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'foreign' end
  if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then return 'exists' end
  return 'foreign'
end
if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]) > 0 then return 'leftovers' end

redis.call('HSET', KEYS[1], 'total', ARGV[4], 'stock', ARGV[4], 'state', 'open', 'suspect', '', 'epoch', ARGV[1],
  'version', ARGV[3], 'run', ARGV[2], 'last_us', '0', 'fence', '0', 'returned', '0', unpack(ARGV, 5))
return 'created'
