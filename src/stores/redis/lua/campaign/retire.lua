#!lua flags=allow-oom
-- retire: ends one life of a coupon before its keys are deleted. Admission closes, and every worker of the old life is
-- refused from here on, because its epoch is no longer the coupon's.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      the new one, from the ledger
--
-- Reply: 1 if there was a coupon, 0 if not. Where the key is no hash, no script gets anywhere, and there is nothing to close.

local COUPON = KEYS[1]

if redis.call('TYPE', COUPON).ok ~= 'hash' then return 0 end
redis.call('HSET', COUPON, 'state', 'closed', 'epoch', ARGV[1])
return 1
