-- Ids that somebody has to look at now. They are put off a little, so that one sweeper takes each.
-- KEYS: 1 live.  ARGV: 1 how many, 2 ms until the next look
-- Returns: ids
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], id)
end
return ids
