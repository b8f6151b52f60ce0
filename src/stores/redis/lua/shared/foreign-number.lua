-- foreign-number: whole numbers as serializers of other programs write them: bare, in quotes, or with a Java type before them; also as
-- `95.0`.
--
-- foreign_number(text) -> a number; nil: it is none
local function foreign_number(text)
  local inner = string.match(text or '', '^%[%s*"[%w_.$]+"%s*,%s*(.-)%s*%]$') or text or ''
  inner = string.match(inner, '^"(.*)"$') or inner
  return tonumber(string.match(inner, '^([+-]?%d+)[lL]?$') or string.match(inner, '^([+-]?%d+)%.0+$'))
end
