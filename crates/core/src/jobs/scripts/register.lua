-- Notes an id before its record exists, so that a crash of the submitter leaves a trace.
-- KEYS: 1 live, 2 callbacks, only for a job whose outcome somebody is to be told.
-- ARGV: 1 id, 2 grace (ms), 3 ms until the job must have ended, with KEYS 2
-- Returns: 1 | 0 (it is listed already)
local now = now_ms()
if KEYS[2] then
  -- `forget` brings it forward when the job ends; this time is the net under that.
  redis.call('ZADD', KEYS[2], 'NX', now + ARGV[3], ARGV[1])
end
return redis.call('ZADD', KEYS[1], 'NX', now + ARGV[2], ARGV[1])
