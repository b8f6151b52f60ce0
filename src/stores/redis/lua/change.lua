#!lua flags=allow-oom
-- change: what an operator changed about a coupon, once. The ledger has it already.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      from the ledger
-- ARGV[2] version    of the coupon once the change is done; the one before it is what must stand here
-- ARGV[3] add        to total and stock
-- ARGV[4...]         field, value pairs to be written
--
-- Reply: 'ok'; 'done' (it was made before); 'gone', 'epoch', 'version' (an earlier change is missing here), or 'suspect'.

local COUPON = KEYS[1]

if redis.call('EXISTS', COUPON) == 0 then return 'gone' end
local coupon = redis.call('HMGET', COUPON, 'epoch', 'version', 'suspect', 'stock', 'total')
if coupon[1] ~= ARGV[1] then return 'epoch' end
local version, wanted = tonumber(coupon[2] or '') or 0, tonumber(ARGV[2])
if version >= wanted then return 'done' end
if version ~= wanted - 1 then return 'version' end
if coupon[3] and coupon[3] ~= '' then return 'suspect' end
if not string.find(coupon[4] or '', '^-?%d+$') or not string.find(coupon[5] or '', '^%d+$') then return 'suspect' end

if tonumber(ARGV[3]) > 0 then
  redis.call('HINCRBY', COUPON, 'total', ARGV[3])
  redis.call('HINCRBY', COUPON, 'stock', ARGV[3])
end
redis.call('HSET', COUPON, 'version', ARGV[2], unpack(ARGV, 4))
return 'ok'
