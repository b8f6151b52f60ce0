-- request-time: scores as times. Other services write them in seconds, milliseconds, microseconds or nanoseconds. The same as
-- campaign/coupon.ts.
--
-- score_us(score) -> microseconds since 1970, a whole number, and whether the score says just that; nil: no time between 2001 and 2100
-- in any unit.
local FIRST, LAST = 978307200, 4102444800
local UNITS = { 1, 1e3, 1e6, 1e9 }

local function score_us(score)
  local number = tonumber(score or '')
  -- Ours, and so nearly all.
  if number and number >= FIRST * 1e6 and number < LAST * 1e6 and number % 1 == 0 then return number, true end
  for _, unit in ipairs(UNITS) do
    if number and number >= FIRST * unit and number < LAST * unit then
      return math.floor((unit == 1e9 and number / 1e3 or number * (1e6 / unit)) + 0.5)
    end
  end
  return nil
end
