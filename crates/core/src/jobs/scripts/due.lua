-- Ids whose time has come. They are put off a little, so that one worker takes each.
-- KEYS: 1 live, unsaved or callbacks.  ARGV: 1 how many, 2 ms until they are due again
-- Returns: ids
local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], id)
end
return ids
