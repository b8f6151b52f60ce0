#!lua flags=no-writes,allow-oom
-- compare-rows: compares rows of the ledger with Redis. A user agrees who was admitted, is issued with exactly the hash that ack would
-- write from the row, and is in no other place. Differences are only reported here; the caller finds out which they are.
--
-- KEYS[1] admitted   hash, user -> "score:requestId"
-- KEYS[2] queue      sorted set, user -> score
-- KEYS[3] leases     sorted set, user -> deadline
-- KEYS[4] claims     hash
-- KEYS[5] dead       hash, user -> reason
-- KEYS[6...] issued  hash of each user, in the order of ARGV
-- ARGV[1] couponId
-- ARGV[2...]         userId, text of each row: 'requested_us ex_date used_at requested_at issued_at revoked_at', nothing between
--                    two spaces for none. Up to 250 rows: so many hold Redis for about 1 ms.
--
-- Reply: users that do not agree, and those of the others who were adopted from another service.

local ADMITTED, QUEUE, LEASES, CLAIMS, DEAD = unpack(KEYS, 1, 5)
local ISSUED = { unpack(KEYS, 6) }

-- include request-time

local users, texts = {}, {}
for i = 2, #ARGV, 2 do
  users[#users + 1] = ARGV[i]
  texts[#texts + 1] = ARGV[i + 1]
end

-- One entry per user; hardly any user is in a place when most are issued, and then the place is not even asked.
local function place(size, read, key)
  if redis.call(size, key) == 0 then return {} end
  return redis.call(read, key, unpack(users))
end
local admitted = place('HLEN', 'HMGET', ADMITTED)
local waiting = place('ZCARD', 'ZMSCORE', QUEUE)
local leased = place('ZCARD', 'ZMSCORE', LEASES)
local claimed = place('HLEN', 'HMGET', CLAIMS)
local dead = place('HLEN', 'HMGET', DEAD)

-- What ack would not have written is nil; a key of another type is neither.
local function issued(i)
  local hash = redis.pcall('HMGET', ISSUED[i], 'userId', 'couponId', 'ex_date', 'used_at', 'requested_at', 'issued_at', 'revoked_at')
  if hash[1] ~= users[i] or hash[2] ~= ARGV[1] or not (hash[3] and hash[4] and hash[5] and hash[6]) then return nil end
  return ' ' .. hash[3] .. ' ' .. hash[4] .. ' ' .. hash[5] .. ' ' .. hash[6] .. ' ' .. (hash[7] or '')
end

local function agrees(i, score)
  if not score or waiting[i] or leased[i] or claimed[i] or dead[i] then return false end
  local times = issued(i)
  -- Our own scores are microseconds, so the first comparison nearly always does.
  if not times then return false end
  if texts[i] == score .. times then return true end
  local us = score_us(score)
  return us and texts[i] == string.format('%.0f', us) .. times
end

local differing, adopted = {}, {}
for i, user in ipairs(users) do
  local score, request = string.match(admitted[i] or '', '^([^:]+):(.?)')
  if not agrees(i, score) then
    differing[#differing + 1] = user
  elseif request == '' then
    adopted[#adopted + 1] = user
  end
end
return { differing, adopted }
