-- A hint was taken and its job claimed: look at the job again when its lease ends.
-- KEYS: 1 pending, 2 live.  ARGV: 1 id, 2 ms until then
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return 'OK'
