-- Renames keys of a wrong type, so that people can inspect them, and restores `seq`.
-- KEYS, for each key of the group:
--       1, 3 … the key
--       2, 4 … its name when set aside   {search}:aside:<key> or {search_job:<id>}:aside:<key>
-- ARGV: 1 TTL of a key set aside (s)
--       2 … for each key its type: a Redis type, `seq` (a string with a number), or `pending` (a
--         zset of sequence numbers, none above `seq`)
-- Returns: {key, what it held}, … for each key set aside
local LARGEST = 2 ^ 53
local mended, unset, last = {}, nil, 0

local function set_aside(key, aside, held)
  redis.call('RENAME', key, aside)
  redis.call('EXPIRE', aside, ARGV[1])
  mended[#mended + 1] = { key, held }
end

for i = 1, #KEYS, 2 do
  local key, aside, sort = KEYS[i], KEYS[i + 1], ARGV[1 + (i + 1) / 2]
  local is = redis.call('TYPE', key).ok
  local should_be = sort == 'seq' and 'string' or sort == 'pending' and 'zset' or sort
  if is ~= 'none' and is ~= should_be then
    set_aside(key, aside, 'a ' .. is .. ' and not a ' .. should_be)
    is = 'none'
  end
  if sort == 'seq' then
    if is == 'string' then
      local text = redis.call('GETRANGE', key, 0, 31)
      local number = string.find(text, '^%-?%d+$') and tonumber(text)
      if not number or math.abs(number) >= LARGEST or redis.call('STRLEN', key) > 20 then
        set_aside(key, aside, 'something that is no number')
        is = 'none'
      end
    end
    unset = is == 'none' and key
  elseif sort == 'pending' and is == 'zset' then
    local highest = redis.call('ZREVRANGEBYSCORE', key, LARGEST, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    last = math.max(last, math.ceil(tonumber(highest or 0)))
  end
end
if unset and #mended > 0 then
  -- A new entry with a number below the waiting ones would seem to have been popped.
  redis.call('SET', unset, string.format('%.0f', last))
end
return mended
