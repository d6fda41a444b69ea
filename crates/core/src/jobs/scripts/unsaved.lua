-- Ended jobs that are due to be stored; they are put off, so that one worker at a time tries.
-- KEYS: 1 unsaved.  ARGV: 1 how many, 2 ms until the next try
-- Returns: ids
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], id)
end
return ids
