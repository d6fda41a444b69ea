-- Puts a hint into its queue. Lists are FIFO: producers push at the left, workers pop at the right.
-- `back` does nothing when there is a hint already. `front` is for those who hold a popped hint
-- and give it back: it goes to the right, before all others.
-- KEYS: 1 queue, 2 pending, 3 live, 4 seq.  ARGV: 1 id, 2 back | front, 3 grace (ms)
-- Returns: PUSHED | THERE
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
if ARGV[2] == 'front' then
  local first = redis.call('LINDEX', KEYS[1], -1)
  local score = first and redis.call('ZSCORE', KEYS[2], first)
  redis.call('ZADD', KEYS[2], (score or redis.call('INCR', KEYS[4])) - 1, ARGV[1])
  redis.call('RPUSH', KEYS[1], ARGV[1])
  return 'PUSHED'
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 'THERE'
end
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), ARGV[1])
redis.call('LPUSH', KEYS[1], ARGV[1])
return 'PUSHED'
