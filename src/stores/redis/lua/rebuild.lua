#!lua flags=allow-oom
-- rebuild: puts back the hash of a coupon, or the fields of it that are missing, out of service (suspect) until the repair is finished.
-- A hash without an epoch was rewritten by another program, or lost a field. That is no proof of another life of the coupon: it takes
-- the ledger's epoch, keeps what it has, and its users stay.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5...]         further field, value pairs: name, window, expiry
--
-- Reply: 'created', 'exists', or 'foreign' (the hash carries another epoch: nothing was changed).

local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
if epoch == ARGV[1] then return 'exists' end
if epoch ~= '' then return 'foreign' end
redis.call('HSET', KEYS[1], 'total', ARGV[4], 'stock', '0', 'suspect', 'repair', 'epoch', ARGV[1], 'version', ARGV[3], 'run', ARGV[2],
  unpack(ARGV, 5))
redis.call('HSETNX', KEYS[1], 'state', 'open')
for _, counter in ipairs({ 'last_us', 'fence', 'acked', 'returned' }) do redis.call('HSETNX', KEYS[1], counter, '0') end
return 'created'
