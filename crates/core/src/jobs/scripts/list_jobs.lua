-- Lists unfinished and recently failed jobs.
-- KEYS: 1 index of unfinished jobs   {search}:live
--       2 failed jobs                {search}:failures
-- ARGV: 1 most of each
-- Returns: now (ms), {id, …} of unfinished jobs by their next check, {id, time of failure (ms), …} of
--          failed jobs, the newest first
return {
  now_ms(),
  redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1),
  redis.call('ZREVRANGE', KEYS[2], 0, ARGV[1] - 1, 'WITHSCORES'),
}
