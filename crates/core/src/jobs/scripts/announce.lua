-- A worker says that it is there; workers not heard of for long are struck off.
-- KEYS: 1 workers, 2 their self-descriptions.  ARGV: 1 name, 2 self-description (JSON), 3 ms after
--       which a silent worker is struck off
local now = now_ms()
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
-- None was heard of in the future, either.
for _, range in ipairs({ { '-inf', now - ARGV[3] }, { now + ARGV[3], '+inf' } }) do
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], range[1], range[2])) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  end
end
return 'OK'
