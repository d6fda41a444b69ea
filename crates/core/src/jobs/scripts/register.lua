-- Notes an id before its record exists, so that a crash of the submitter leaves a trace.
-- KEYS: 1 live.  ARGV: 1 id, 2 grace (ms)
-- Returns: 1 | 0 (it is listed already)
local now = now_ms()
return redis.call('ZADD', KEYS[1], 'NX', now + ARGV[2], ARGV[1])
