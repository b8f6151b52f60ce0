#!lua flags=allow-oom
-- finish-adoption: the last step of taking a coupon over from another service, in one: settings as the ledger has them, the stock, and the
-- coupon in service.
--
-- KEYS[1] coupon     hash
-- KEYS[2] admitted   hash, user -> "score:requestId"
-- KEYS[3] life       string, epoch
-- ARGV[1] epoch      from the ledger
-- ARGV[2] run id     of this server, as the caller's connection learned it
-- ARGV[3] version    from the ledger
-- ARGV[4] total
-- ARGV[5] state      of the sale
-- ARGV[6] field      that the service has the stock in; '': this hash is none of the service's
-- ARGV[7]            what that field has to be corrected by; without one the stock is what the users leave of the total
-- ARGV[8...]         further field, value pairs: name, window, expiry
--
-- Reply: 'ok'; 'done' (it was finished before); 'epoch' (another life of the coupon); 'stock' (the service's field holds no number, or more users were
-- taken than there are).
-- The service may have taken users in the meantime, so its own field says what is left.

local COUPON, ADMITTED, LIFE = unpack(KEYS, 1, 3)

-- include foreign-number

local coupon = redis.call('HMGET', COUPON, 'epoch', 'suspect')
if coupon[1] ~= ARGV[1] then return 'epoch' end
if (coupon[2] or '') == '' then return 'done' end
local stock = tonumber(ARGV[4]) - redis.call('HLEN', ADMITTED)
if ARGV[6] ~= '' then
  local there = foreign_number(redis.call('HGET', COUPON, ARGV[6]))
  if not there then return 'stock' end
  stock = there + tonumber(ARGV[7])
elseif stock < 0 then
  return 'stock'
end

redis.call('HDEL', COUPON, 'ex_date', 'valid_for')
redis.call('HSET', COUPON, 'total', ARGV[4], 'stock', string.format('%d', stock), 'state', ARGV[5], 'version', ARGV[3], 'run', ARGV[2],
  'returned', '0', 'given_back', '0', 'suspect', '', unpack(ARGV, 8))
redis.call('SET', LIFE, ARGV[1])
return 'ok'
