-- A hint was taken and its job claimed: look at the job again when its lease ends.
-- KEYS: 1 pending, 2 live.  ARGV: 1 id, 2 ms until then
local now = now_ms()
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return 'OK'
