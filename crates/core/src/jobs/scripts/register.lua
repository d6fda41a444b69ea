-- Adds a job to the index, before its record exists: the sweeper then finds it even if the API
-- crashes in between.
-- KEYS: 1 index of unfinished jobs   {search}:live
--       2 index of callbacks         {search}:callbacks   (only for a job with a callback)
-- ARGV: 1 id
--       2 delay of the first check (ms)
--       3 upper bound of the job's lifetime (ms), only with KEYS 2
-- Returns: 1 | 0 (already in `live`)
local now = now_ms()
if KEYS[2] then
  -- update_index.lua brings this forward when the job ends.
  redis.call('ZADD', KEYS[2], 'NX', now + ARGV[3], ARGV[1])
end
return redis.call('ZADD', KEYS[1], 'NX', now + ARGV[2], ARGV[1])
