-- What has not ended, and what failed of late, for those who look at the queue.
-- KEYS: 1 live, 2 failures.  ARGV: 1 how many of each
-- Returns: now (ms), {live id, …} those due to be looked at first, {failed id, when (ms), …} newest first
return {
  now_ms(),
  redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1),
  redis.call('ZREVRANGE', KEYS[2], 0, ARGV[1] - 1, 'WITHSCORES'),
}
