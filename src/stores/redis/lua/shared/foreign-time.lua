-- foreign-time: one reading of times that other programs wrote. The same as campaign/foreign-time.ts, where the forms are described; a test
-- drives both with the same texts. A script takes it in with a line `-- include foreign-time`.
--
-- foreign_time(text) -> microseconds since 1970; 0: none is written; nil: neither a time nor a way to write that there is none.
local foreign_time
do
  local NONE = {}
  for _, text in ipairs({ '', 'null', '(null)', '<null>', '[null]', '\\n', 'none', 'nil', 'undefined', 'nan', 'nat', 'n/a', 'false', 'f',
    'no', 'n' }) do
    NONE[text] = true
  end

  local function is_zero(text)
    if string.find(text, '^0+%.?0*l?$') or string.find(text, '^0000%-00%-00') then return true end
    local rest = string.match(text, '^0001%-01%-01(.*)$')
    if not rest then return false end
    rest = string.gsub(rest, '^[ t]00:00', '', 1)
    rest = string.gsub(rest, '^:00', '', 1)
    rest = string.gsub(rest, '^%.0+', '', 1)
    return rest == '' or rest == 'z' or rest == '+0000' or rest == '+00:00'
  end

  -- Days from civil: H. Hinnant, "chrono-compatible low-level date algorithms".
  local function days(y, m, d)
    if m <= 2 then y = y - 1 end
    local era = math.floor(y / 400)
    local yoe = y - era * 400
    local doy = math.floor((153 * (m + (m > 2 and -3 or 9)) + 2) / 5) + d - 1
    return era * 146097 + yoe * 365 + math.floor(yoe / 4) - math.floor(yoe / 100) + doy - 719468
  end

  local function micros(y, m, d, h, min, s, us)
    if y < 1969 or y > 9999 or m < 1 or m > 12 or d < 1 or h > 23 or min > 59 or s > 59 then return nil end
    local next_y, next_m = m == 12 and y + 1 or y, m == 12 and 1 or m + 1
    if d > days(next_y, next_m, 1) - days(y, m, 1) then return nil end
    return (((days(y, m, d) * 24 + h) * 60 + min) * 60 + s) * 1000000 + us
  end

  local function unquoted(text)
    local quote, inner = string.match(text, '^(["\'])(.*)%1$')
    return quote and #text >= 2 and (string.gsub(inner, '\\(["\\/])', '%1')) or nil
  end

  local function of_digits(digits)
    if not string.find(digits, '^19') and not string.find(digits, '^20') then return nil end
    if #digits ~= 8 and #digits ~= 14 then return nil end
    local function part(from, to)
      local text = string.sub(digits, from, to)
      return text == '' and 0 or tonumber(text)
    end
    return micros(part(1, 4), part(5, 6), part(7, 8), part(9, 10), part(11, 12), part(13, 14), 0)
  end

  -- Beyond 2^52 adding a half would round to the next even number.
  local function round(number)
    local below = math.floor(number)
    return number - below >= 0.5 and below + 1 or below
  end

  local function of_number(text)
    local whole, rest = string.match(text, '^(%d+)(.*)$')
    if not whole then return nil end
    rest = string.gsub(rest, 'l$', '')
    local fraction = string.match(rest, '^%.%d+') or ''
    local exponent = string.sub(rest, #fraction + 1)
    if exponent ~= '' and not string.find(exponent, '^e%+?%d+$') then return nil end
    if rest == '' then
      local digits = of_digits(whole)
      if digits then return digits end
      if #whole == 19 then return tonumber(string.sub(whole, 1, -4)) end
    end
    local number = tonumber(whole .. fraction .. exponent)
    if number < 1e8 then return nil end
    if number < 1e11 then return round(number * 1e6) end
    if number < 1e14 then return round(number * 1e3) end
    if number < 1e17 then return round(number) end
    return round(number / 1e3)
  end

  local function of_array(text)
    local inside = string.match(text, '^%[([%d%s,]+)%]$')
    if not inside then return nil end
    local parts = {}
    for part in string.gmatch(inside .. ',', '([^,]*),') do
      local digits = string.match(part, '^%s*(%d+)%s*$')
      if not digits then return nil end
      parts[#parts + 1] = tonumber(digits)
    end
    local n = #parts
    if (n ~= 3 and n ~= 5 and n ~= 6 and n ~= 7) or (parts[7] or 0) > 999999999 then return nil end
    return micros(parts[1], parts[2], parts[3], parts[4] or 0, parts[5] or 0, parts[6] or 0, math.floor((parts[7] or 0) / 1000))
  end

  -- Minutes east of UTC.
  local function minutes_of(zone)
    local text, named = string.gsub(zone, '%[[%w_/+-]+%]$', '')
    text = string.match(text, '^%s*(.-)%s*$')
    if text == '' then return named == 0 and 0 or nil end
    if text == 'z' or text == 'utc' or text == 'gmt' then return 0 end
    local sign, hours, minutes = string.match(text, '^([+-])(%d%d):?(%d%d)$')
    if not sign then
      sign, hours = string.match(text, '^([+-])(%d%d):?$')
      minutes = '0'
    end
    if not sign or tonumber(hours) > 18 or tonumber(minutes) > 59 then return nil end
    return (sign == '-' and -1 or 1) * (tonumber(hours) * 60 + tonumber(minutes))
  end

  local function of_iso(text)
    local y, dash, m, again, d, rest = string.match(text, '^(%d%d%d%d)([-/])(%d%d)([-/])(%d%d)(.*)$')
    if not y or dash ~= again then return nil end
    y, m, d = tonumber(y), tonumber(m), tonumber(d)
    if rest == '' then return micros(y, m, d, 0, 0, 0, 0) end
    local h, min, zone = string.match(rest, '^[ t]+(%d%d):(%d%d)(.*)$')
    if not h then return nil end
    local s, us = '0', '0'
    local second, after = string.match(zone, '^:(%d%d)(.*)$')
    if second then
      s, zone = second, after
      local fraction, behind = string.match(zone, '^[.,](%d+)(.*)$')
      if fraction then us, zone = string.sub(fraction .. '00000', 1, 6), behind end
    end
    local offset = minutes_of(zone)
    local at = offset and micros(y, m, d, tonumber(h), tonumber(min), tonumber(s), tonumber(us))
    return at and at - offset * 60000000
  end

  local function read(written, depth)
    local text = string.lower(string.match(written, '^%s*(.-)%s*$'))
    if NONE[text] or is_zero(text) then return 0 end
    local inner = depth > 0 and (unquoted(text) or string.match(text, '^%[%s*"[%w_.$]+"%s*,%s*(.+)%]$'))
    if inner then return read(inner, depth - 1) end
    local us = of_number(text) or of_array(text) or of_iso(text)
    if not us then return nil end
    if math.abs(us) <= 50400000000 then return 0 end
    return us >= 0 and us < 253402300800000000 and us or nil
  end

  -- What is longer than any time is not even looked at.
  foreign_time = function(text) return #text <= 200 and read(text, 4) or nil end
end
