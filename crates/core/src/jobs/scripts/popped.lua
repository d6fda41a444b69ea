-- Hints that are out of their list and not claimed. Lists are FIFO, so these are all ids whose
-- number is below that of the list's right end, or all when the list is empty.
-- KEYS: 1 queue, 2 pending.  ARGV: 1 how many
-- Returns: id, number, id, number …
local first = redis.call('LINDEX', KEYS[1], -1)
local score = first and redis.call('ZSCORE', KEYS[2], first)
if first and not score then
  -- A second hint of a job that has been claimed: it says nothing of the others.
  return {}
end
local below = score and '(' .. score or '+inf'
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', below, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
