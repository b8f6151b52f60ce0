#!lua flags=allow-oom
-- change: what an operator changed about a coupon, once. The ledger has it already.
--
-- KEYS[1] coupon     hash
-- ARGV[1] epoch      from the ledger
-- ARGV[2] version    of the coupon once the change is done; the one before it is what must stand here
-- ARGV[3] total      once the change is done
-- ARGV[4] add        how much of it is new
-- ARGV[5] given back once the change is done: coupons that revocations have put back into the stock
-- ARGV[6] back       how many of them are new
-- ARGV[7...]         field, value pairs to be written
--
-- Reply: 'ok'; 'done' (it was made before); 'gone', 'epoch', 'version' (an earlier change is missing here), or 'suspect'.
-- Numbers that a repair has brought up to the ledger meanwhile are not raised again.

local COUPON = KEYS[1]

if redis.call('EXISTS', COUPON) == 0 then return 'gone' end
local coupon = redis.call('HMGET', COUPON, 'epoch', 'version', 'suspect', 'stock', 'total', 'given_back', 'returned')
if coupon[1] ~= ARGV[1] then return 'epoch' end
local version, wanted = tonumber(coupon[2] or '') or 0, tonumber(ARGV[2])
if version >= wanted then return 'done' end
if version ~= wanted - 1 then return 'version' end
if coupon[3] and coupon[3] ~= '' then return 'suspect' end
for _, number in ipairs({ coupon[4] or '', coupon[5] or '', coupon[6] or '0', coupon[7] or '0' }) do
  if not string.find(number, '^-?%d+$') then return 'suspect' end
end

-- How far a number has to rise; nil: it is neither what it was before nor what it will be.
local function missing(text, after, rise)
  local number = tonumber(text or '')
  if number == tonumber(after) then return 0 end
  return number == tonumber(after) - tonumber(rise) and tonumber(rise) or nil
end
local add, back = missing(coupon[5], ARGV[3], ARGV[4]), missing(coupon[6] or '0', ARGV[5], ARGV[6])
if not add or not back then return 'suspect' end

if add > 0 then redis.call('HINCRBY', COUPON, 'total', add) end
if back > 0 then
  redis.call('HINCRBY', COUPON, 'given_back', back)
  redis.call('HINCRBY', COUPON, 'returned', back)
end
if add + back > 0 then redis.call('HINCRBY', COUPON, 'stock', add + back) end
redis.call('HSET', COUPON, 'version', ARGV[2], unpack(ARGV, 7))
return 'ok'
