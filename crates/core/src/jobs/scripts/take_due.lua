-- Takes the due ids of an index, the longest due first, and postpones them, so that only one worker
-- takes each.
-- KEYS: 1 index   {search}:live, {search}:unsaved or {search}:callbacks
-- ARGV: 1 most ids
--       2 delay until they are due again (ms)
-- Returns: the ids
local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], id)
end
return ids
