-- Notes that a job has failed. Safe to repeat: the first time counts.
-- KEYS: 1 failures.  ARGV: 1 id, 2 how many are kept, 3 for how long (s)
redis.call('ZADD', KEYS[1], 'NX', now_ms(), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[2] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 'OK'
