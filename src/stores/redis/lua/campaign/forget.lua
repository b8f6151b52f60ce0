#!lua flags=allow-oom
-- forget: puts a tombstone in the place of a user, everywhere in one coupon and in one step. Sums, order and places stay as they are.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] admitted   hash, user -> "score:requestId"
-- KEYS[4] leases     sorted set, user -> deadline
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6] claims     hash, user -> "fence:worker:score:lease:deliveries:faults"
-- KEYS[7...] issued  hash of the user, then of the tombstone
-- ARGV[1] epoch      of the coupon, from the ledger
-- ARGV[2] user
-- ARGV[3] tombstone
-- ARGV[4] the lowest claim that may still issue, to move the user; or 'clean', once the ledger has the tombstone
--
-- Reply: 'ok'; or one of these, and nothing was written: 'gone', 'epoch', 'suspect', 'claimed' (by a claim that may still issue, and would
-- do so under the old id).
-- Whoever is moved waits under the tombstone: the ledger refuses the claim of a worker that held the user. Moving keeps the issued hash of the user: until the ledger has followed, a new request of this id must be refused as a duplicate.
-- 'clean' takes a use or revocation over that was written there meanwhile, and deletes it. Both may be repeated; a user who was accepted
-- anew since is left alone.

local COUPON, QUEUE, ADMITTED, LEASES, DEAD, CLAIMS = unpack(KEYS, 1, 6)
local ISSUED = { unpack(KEYS, 7) }
local user, tombstone = ARGV[2], ARGV[3]

-- include claim-record

local coupon = redis.call('HMGET', COUPON, 'epoch', 'suspect', 'min_fence')
if not coupon[1] then return 'gone' end
if coupon[1] ~= ARGV[1] then return 'epoch' end
if coupon[2] and coupon[2] ~= '' then return 'suspect' end

-- WRONGTYPE must strike before the first write.
local score = redis.call('ZSCORE', QUEUE, user)
local admitted = redis.call('HGET', ADMITTED, user)
local deadline = redis.call('ZSCORE', LEASES, user)
local reason = redis.call('HGET', DEAD, user)
local record = redis.call('HGET', CLAIMS, user)
local hash = redis.call('HGETALL', ISSUED[1])
redis.call('HGETALL', ISSUED[2])

-- Texts of others may name the user; only whole words count.
local function without_user(text)
  local parts, from = {}, 1
  while true do
    local first, last = string.find(text, user, from, true)
    if not first then break end
    local inside = string.find(string.sub(text, first - 1, first - 1), '[%w_]') or string.find(string.sub(text, last + 1, last + 1), '[%w_]')
    parts[#parts + 1] = string.sub(text, from, first - 1) .. (inside and user or tombstone)
    from = last + 1
  end
  return table.concat(parts) .. string.sub(text, from)
end

local OURS = { couponId = true, ex_date = true, used_at = true, requested_at = true, issued_at = true, revoked_at = true }
local function copy_hash()
  local fields = {}
  for i = 1, #hash, 2 do
    fields[i] = hash[i]
    fields[i + 1] = OURS[hash[i]] and hash[i + 1] or without_user(hash[i + 1])
  end
  redis.call('HSET', ISSUED[2], unpack(fields))
  redis.call('HSET', ISSUED[2], 'userId', tombstone)
end

if ARGV[4] == 'clean' then
  if #hash > 0 and not admitted then
    copy_hash()
    redis.call('DEL', ISSUED[1])
  end
  return 'ok'
end

local claim = read_claim(record)
-- It has moved already, and this is another request of the same id.
local moved = redis.call('HEXISTS', ADMITTED, tombstone) == 1
if claim and not moved and tonumber(claim.fence) >= tonumber(ARGV[4]) then return 'claimed' end
-- Their late acknowledgements would write the old id again.
if tonumber(ARGV[4]) > (tonumber(coupon[3] or '') or 0) then redis.call('HSET', COUPON, 'min_fence', ARGV[4]) end
if #hash > 0 then copy_hash() end
if moved then return 'ok' end

if admitted then
  -- The id of the request is the client's own; that there was one tells admitted users from adopted ones.
  local time, request = string.match(admitted, '^([^:]*):(.*)$')
  redis.call('HSET', ADMITTED, tombstone, time and (time .. ':' .. (request == '' and '' or 'forgotten')) or admitted)
  redis.call('HDEL', ADMITTED, user)
end
if deadline then
  redis.call('ZREM', LEASES, user)
  if claim then
    score = score or claim.score
  else
    redis.call('ZADD', LEASES, deadline, tombstone)
  end
end
if score then
  redis.call('ZREM', QUEUE, user)
  redis.call('ZADD', QUEUE, score, tombstone)
end
if record then
  redis.call('HSET', CLAIMS, tombstone, record)
  redis.call('HDEL', CLAIMS, user)
end
if reason then
  -- One word is a reason of our own.
  redis.call('HSET', DEAD, tombstone, string.find(reason, ' ', 1, true) and without_user(reason) or reason)
  redis.call('HDEL', DEAD, user)
end
return 'ok'
