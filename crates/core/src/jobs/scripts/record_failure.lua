-- Records a failed job. Safe to repeat: the first time counts.
-- KEYS: 1 failed jobs   {search}:failures
-- ARGV: 1 id
--       2 most failures kept
--       3 TTL after the last failure (s)
-- Returns: OK
redis.call('ZADD', KEYS[1], 'NX', now_ms(), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[2] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 'OK'
