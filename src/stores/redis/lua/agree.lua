#!lua flags=no-writes,allow-oom
-- agree: holds rows of the ledger against what is known here. A user agrees who was admitted, is issued with exactly the hash that
-- ack would write from the row, and stands nowhere else. What it takes to tell everybody else apart is no business of a script.
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

local users, texts = {}, {}
for i = 2, #ARGV, 2 do
  users[#users + 1] = ARGV[i]
  texts[#texts + 1] = ARGV[i + 1]
end

-- One entry per user; hardly anybody stands in a place when most are issued, and then the place is not even asked.
local function place(size, read, key)
  if redis.call(size, key) == 0 then return {} end
  return redis.call(read, key, unpack(users))
end
local admitted = place('HLEN', 'HMGET', KEYS[1])
local waiting = place('ZCARD', 'ZMSCORE', KEYS[2])
local leased = place('ZCARD', 'ZMSCORE', KEYS[3])
local claimed = place('HLEN', 'HMGET', KEYS[4])
local dead = place('HLEN', 'HMGET', KEYS[5])

-- The request time as the ledger has it: scores of other services may be of any unit (campaign/coupon.ts).
local function microseconds(score)
  local number = tonumber(score) or 0
  if number >= 1e17 then return string.format('%.0f', math.floor(number / 1e3 + 0.5)) end
  return string.format('%.0f', number < 1e11 and number * 1e6 or number < 1e14 and number * 1e3 or number)
end

-- What ack would not have written is nil; a key of another type is neither.
local function issued(i)
  local hash = redis.pcall('HMGET', KEYS[5 + i], 'userId', 'couponId', 'ex_date', 'used_at', 'requested_at', 'issued_at', 'revoked_at')
  if hash[1] ~= users[i] or hash[2] ~= ARGV[1] or not (hash[3] and hash[4] and hash[5] and hash[6]) then return nil end
  return ' ' .. hash[3] .. ' ' .. hash[4] .. ' ' .. hash[5] .. ' ' .. hash[6] .. ' ' .. (hash[7] or '')
end

local function agrees(i, score)
  if not score or waiting[i] or leased[i] or claimed[i] or dead[i] then return false end
  local times = issued(i)
  -- Our own scores are microseconds, so the first comparison nearly always does.
  return times and (texts[i] == score .. times or texts[i] == microseconds(score) .. times)
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
