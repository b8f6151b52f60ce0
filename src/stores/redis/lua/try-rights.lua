#!lua flags=no-writes,allow-oom
-- try-rights: which of these commands the user of this connection may not run. Nothing is run: a script that is refused one of its
-- commands half-way would leave half of its writes behind.
--
-- ARGV[1...]         of each the number of its words, and the words: a whole command
--
-- Reply: 'unknown' (a server before Redis 7.0 cannot tell), or the numbers of those that are denied, from 1. An error where the server
-- lacks one of them.

if not redis.acl_check_cmd then return 'unknown' end

local denied, at, number = {}, 1, 0
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  number = number + 1
  -- It throws for a command that this server does not have, and names none.
  local known, allowed = pcall(redis.acl_check_cmd, unpack(ARGV, at + 1, last))
  if not known then return redis.error_reply("ERR unknown command '" .. ARGV[at + 1] .. "'") end
  if not allowed then denied[#denied + 1] = number end
  at = last + 1
end
return denied
