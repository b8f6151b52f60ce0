-- claim-record: what the hash of claims holds for a user, "fence:worker:score:lease:deliveries:faults". stores/redis/reader.ts
-- reads the same.
--
-- read_claim(text) -> a table with these names; nil: no claim, or no record of ours. fence and score stay text, because numbers
-- of 16 digits would be rounded when Lua prints them.
-- write_claim(claim) -> text
local function read_claim(text)
  local fence, worker, score, lease, deliveries, faults = string.match(text or '', '^(%d+):([^:]*):([^:]+):(%d+):(%d+):(%d+)$')
  if not fence then return nil end
  return { fence = fence, worker = worker, score = score, lease = tonumber(lease), deliveries = tonumber(deliveries),
    faults = tonumber(faults) }
end

local function write_claim(claim)
  return string.format('%s:%s:%s:%d:%d:%d', claim.fence, claim.worker, claim.score, claim.lease, claim.deliveries, claim.faults)
end
