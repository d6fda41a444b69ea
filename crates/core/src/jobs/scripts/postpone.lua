-- Changes when an id of an index is due; does not add it.
-- KEYS: 1 index   {search}:live, {search}:unsaved or {search}:callbacks
-- ARGV: 1 id
--       2 delay until it is due (ms)
-- Returns: OK
redis.call('ZADD', KEYS[1], 'XX', now_ms() + ARGV[2], ARGV[1])
return 'OK'
