#!lua
-- seed: writes a new coupon, or says beforehand whether it would. Nothing that stands already is touched.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set
-- KEYS[3] admitted   hash
-- KEYS[4] leases     sorted set
-- KEYS[5] dead       hash
-- KEYS[6] claims     hash
-- KEYS[7] life       string, epoch
-- ARGV[1] 'write', or 'check': change nothing
-- ARGV[2] epoch      from the ledger; empty: the ledger has no such coupon
-- ARGV[3] run id     of this server, as the caller's connection learned it
-- ARGV[4] version    from the ledger
-- ARGV[5] total
-- ARGV[6...]         further field, value pairs: name, window, expiry
--
-- Reply: 'created' (with 'check': 'free'); 'exists' (this very seeding wrote it already); 'foreign' (another coupon is there);
-- 'leftovers' (no coupon, but a queue or records of one). 'check' has it first in a list; after 'exists' come suspect, fence, version,
-- stock, total and acked of the coupon, after 'foreign' its epoch, which is empty where it has none.
-- Without allow-oom both are refused as a whole at the memory limit, on a replica, and where nothing can be saved.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS, LIFE = unpack(KEYS, 1, 7)

local check = ARGV[1] == 'check'

if redis.call('EXISTS', COUPON) == 1 then
  local epoch = redis.pcall('HGET', COUPON, 'epoch')
  -- WRONGTYPE ends the script here, before anything is written.
  if type(epoch) == 'table' and ARGV[2] ~= '' then return epoch end
  if ARGV[2] == '' or epoch ~= ARGV[2] then
    return check and { 'foreign', type(epoch) == 'string' and epoch or '' } or 'foreign'
  end
  if not check then return 'exists' end
  local reply = { 'exists' }
  for i, value in ipairs(redis.call('HMGET', COUPON, 'suspect', 'fence', 'version', 'stock', 'total', 'acked')) do
    reply[i + 1] = value or ''
  end
  return reply
end
if redis.call('EXISTS', QUEUE, ADMITTED, LEASES, DEAD, CLAIMS) > 0 then return check and { 'leftovers' } or 'leftovers' end
if check then return { 'free' } end

redis.call('HSET', COUPON, 'total', ARGV[5], 'stock', ARGV[5], 'state', 'open', 'suspect', '', 'epoch', ARGV[2],
  'version', ARGV[4], 'run', ARGV[3], 'last_us', '0', 'fence', '0', 'returned', '0', unpack(ARGV, 6))
redis.call('SET', LIFE, ARGV[2])
return 'created'
