-- Records the heartbeat of a worker, and removes expired workers.
-- KEYS: 1 workers        {search}:workers
--       2 descriptions   {search}:workers:descriptions
-- ARGV: 1 name
--       2 description (JSON)
--       3 time without a heartbeat after which a worker expires (ms)
-- Returns: OK
local now = now_ms()
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
-- A heartbeat in the future is wrong, too.
for _, range in ipairs({ { '-inf', now - ARGV[3] }, { now + ARGV[3], '+inf' } }) do
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], range[1], range[2])) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  end
end
return 'OK'
