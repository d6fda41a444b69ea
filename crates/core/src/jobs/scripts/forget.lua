-- A job has ended (or never was): nobody has to look at it again, except for the history.
-- KEYS: 1 pending, 2 live, 3 unsaved.  ARGV: 1 id, 2 save | drop
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == 'save' then
  redis.call('ZADD', KEYS[3], 'NX', now_ms(), ARGV[1])
end
return 'OK'
