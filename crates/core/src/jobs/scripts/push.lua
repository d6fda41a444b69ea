-- Puts a hint into its queue. Lists are FIFO: producers push at the left, workers pop at the right.
-- `back` does nothing when there is a hint already. `front` is for those who know that there is
-- none, or that it was popped: it goes to the right, before all others.
-- KEYS: 1 queue, 2 pending, 3 live, 4 seq, 5.. all queues.  ARGV: 1 id, 2 back | front,
--       3 ms until somebody must look at the job, 4 number that the popped hint had, or "none", or
--       empty for whatever number it has
-- Returns: how many hints there are in all queues, 1 | 0 (left alone)
local now = now_ms()
local number = redis.call('ZSCORE', KEYS[2], ARGV[1])
-- A hint that was thought lost and has been claimed or put back meanwhile is left alone.
local left_alone = ARGV[4] ~= '' and (number or 'none') ~= ARGV[4]
if not left_alone then
  if ARGV[2] == 'front' then
    -- Below every number that waits, whatever stands at the right end: that may be the hint of a
    -- job that has ended.
    local lowest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', KEYS[2], (lowest or redis.call('INCR', KEYS[4])) - 1, ARGV[1])
    redis.call('RPUSH', KEYS[1], ARGV[1])
  elseif not number then
    redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), ARGV[1])
    redis.call('LPUSH', KEYS[1], ARGV[1])
  end
  redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
end
local depth = 0
for i = 5, #KEYS do
  depth = depth + redis.call('LLEN', KEYS[i])
end
return { depth, left_alone and 0 or 1 }
