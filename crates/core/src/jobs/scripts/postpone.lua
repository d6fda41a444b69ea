-- Puts off whoever is listed.
-- KEYS: 1 callbacks or live.  ARGV: 1 id, 2 ms until it is due
redis.call('ZADD', KEYS[1], 'XX', now_ms() + ARGV[2], ARGV[1])
return 'OK'
