#!lua flags=allow-oom
-- rebuild: makes a coupon anew that Redis has lost, out of service (suspect) and without stock: a repair that is not finished admits
-- nobody and issues nothing. What stands already is not touched.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5...]         further field, value pairs: name, window, expiry
--
-- Reply: 'created', 'exists', or 'foreign' (another life of the coupon stands there).

if redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] and 'exists' or 'foreign'
end
redis.call('HSET', KEYS[1], 'total', ARGV[4], 'stock', '0', 'state', 'open', 'suspect', 'repair', 'epoch', ARGV[1], 'version', ARGV[3],
  'run', ARGV[2], 'last_us', '0', 'fence', '0', 'acked', '0', 'returned', '0', unpack(ARGV, 5))
return 'created'
