#!lua flags=allow-oom
-- suspect: takes a coupon out of service because the ledger contradicts it. Requests get 503 and claims stop until a repair.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] reason     one word
--
-- Reply: 1 if the mark stands now, 0 if this is another life of the coupon. An earlier reason is kept.

local COUPON = KEYS[1]

if redis.call('HGET', COUPON, 'epoch') ~= ARGV[1] then return 0 end
local before = redis.call('HGET', COUPON, 'suspect')
if not before or before == '' then redis.call('HSET', COUPON, 'suspect', ARGV[2]) end
return 1
