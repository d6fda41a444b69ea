-- Puts a hint into its queue, unless one is there already. Lists are FIFO: producers push at the
-- left, workers pop at the right; a released job goes back to the right, in front of all others.
-- KEYS: 1 queue, 2 pending, 3 live, 4 seq.  ARGV: 1 id, 2 back | front, 3 grace (ms)
-- Returns: PUSHED | THERE
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 'THERE'
end
if ARGV[2] == 'front' then
  local first = redis.call('LINDEX', KEYS[1], -1)
  local score = first and redis.call('ZSCORE', KEYS[2], first)
  redis.call('ZADD', KEYS[2], (score or redis.call('INCR', KEYS[4])) - 1, ARGV[1])
  redis.call('RPUSH', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), ARGV[1])
  redis.call('LPUSH', KEYS[1], ARGV[1])
end
return 'PUSHED'
