-- A job has ended (or never was): nobody has to look at it again, except for the history and those
-- who are to be told.
-- KEYS: 1 pending, 2 live, 3 unsaved, 4 queue, 5 callbacks.  ARGV: 1 id, 2 save | drop
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then
  -- It ended while it waited (cancelled, too late): its hint would count as one that waits, and
  -- nobody pops it while its mode has no free slot. Costs a walk along the list from its
  -- oldest, at most 4 ms for each 100,000 hints.
  redis.call('LREM', KEYS[4], -1, ARGV[1])
end
local was_live = redis.call('ZREM', KEYS[2], ARGV[1]) == 1
if ARGV[2] == 'save' then
  redis.call('ZADD', KEYS[3], 'NX', now_ms(), ARGV[1])
  -- Once: a repeat must not cut short the pause after a call that failed.
  if was_live then
    redis.call('ZADD', KEYS[5], 'XX', now_ms(), ARGV[1])
  end
end
return 'OK'
