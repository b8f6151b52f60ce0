#!lua flags=allow-oom
-- suspect: takes a coupon out of service because the ledger contradicts it. Requests get 503 and claims stop until a repair.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] reason     one word
--
-- Reply: 1 if the mark stands now, 0 if this is another life of the coupon. An earlier reason is kept.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local before = redis.call('HGET', KEYS[1], 'suspect')
if not before or before == '' then redis.call('HSET', KEYS[1], 'suspect', ARGV[2]) end
return 1
