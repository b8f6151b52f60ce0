-- What a coupon says to users without an admission, read by `admit` and `read-refusal` in the same way.

local REFUSAL_FIELDS = { 'stock', 'run', 'suspect', 'last_us', 'state', 'opens_at', 'closes_at', 'window', 'opens_ms', 'closes_ms',
  'epoch', 'closed_ms', 'acked' }

-- nil when requests are taken now, otherwise the refusal, and the time (ms) that belongs to it: when the coupon opens, or closed.
local function window_refusal(state, opens_at, closes_at, read_from, opens_ms, closes_ms, closed_ms, now_ms)
  local readable = opens_ms and closes_ms and read_from == (opens_at or '') .. ' ' .. (closes_at or '')
  local over = readable and closes_ms > 0 and now_ms >= closes_ms
  if state == 'closed' then return 'closed', closed_ms or over and closes_ms or nil end
  if over then return 'closed', closes_ms end
  -- Another program wrote a state that cannot be read.
  if state ~= 'open' then return state == 'paused' and 'not_open' or 'unavailable' end
  -- Another program has written the texts since: verify reads them again, and a text that is no time keeps the coupon closed.
  if not readable then return 'unavailable' end
  if now_ms < opens_ms then return 'not_yet_open', opens_ms end
  return nil
end

-- The coupon as a table: refusal (nil: none), at_ms (the time that belongs to it, or nil), stock (nil: missing), last_us, now_us, opens_ms, epoch,
-- suspect, acked.
local function read_refusal(coupon_key, run)
  local fields = redis.call('HMGET', coupon_key, unpack(REFUSAL_FIELDS))
  local time = redis.call('TIME')
  local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local coupon = {
    -- Anything but whole digits would make HINCRBY fail.
    stock = tonumber(string.match(fields[1] or '', '^-?%d+$')),
    last_us = fields[4] or '',
    now_us = now_us,
    opens_ms = tonumber(fields[9] or ''),
    epoch = fields[11] or '',
    suspect = fields[3] or '',
    acked = fields[13] or '',
  }
  -- Missing stock is never made up: a coupon without it is closed until an operator has looked.
  if fields[2] ~= run or coupon.suspect ~= '' or not coupon.stock then
    coupon.refusal = 'unavailable'
  else
    coupon.refusal, coupon.at_ms = window_refusal(fields[5], fields[6], fields[7], fields[8], coupon.opens_ms,
      tonumber(fields[10] or ''), tonumber(fields[12] or ''), math.floor(now_us / 1000))
  end
  return coupon
end
