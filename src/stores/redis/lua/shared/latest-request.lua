-- latest-request: the latest request time of users who may be missing from the ledger. Needs claim-record and request-time.
--
-- latest_request(queue, claims, dead, admitted), keys -> microseconds, over all users who wait, are claimed or are dead-lettered; 0 if there
-- are none. It is in the future if a clock was ahead. A key of another type counts as empty.
local function latest_request(queue, claims, dead, admitted)
  local latest = 0
  local function note(score) latest = math.max(latest, score_us(score) or 0) end
  note((redis.pcall('ZRANGE', queue, -1, -1, 'WITHSCORES'))[2])
  for _, record in ipairs(redis.pcall('HVALS', claims)) do
    local claim = read_claim(record)
    if claim then note(claim.score) end
  end
  for _, user in ipairs(redis.pcall('HKEYS', dead)) do
    local record = redis.pcall('HGET', admitted, user)
    note(type(record) == 'string' and string.match(record, '^([^:]*):') or nil)
  end
  return latest
end
