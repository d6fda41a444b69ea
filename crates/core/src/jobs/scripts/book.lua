-- Keeps the lists of the queues for many jobs at once.
-- KEYS: 1 live, 2 unsaved, 3 callbacks, then for each mode its pending and its queue.
-- ARGV: for each entry: 1 verb, 2 number of the mode from 1, 3 id, 4 ms
--   track  A hint was taken and its job claimed: look at the job again in so many ms.
--   save   A job has ended: nobody has to look at it again, except for the history and those who are
--          to be told.
--   drop   The same for an id that has no job.
--   saved  An ended job is in the history.
-- Returns: OK
local now = now_ms()
-- The entries of an id come in their order, which is that of the calls.
for i = 1, #ARGV, 4 do
  local verb, mode, id = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local pending, queue = KEYS[2 + 2 * mode], KEYS[3 + 2 * mode]
  if verb == 'track' then
    redis.call('ZREM', pending, id)
    redis.call('ZADD', KEYS[1], now + ARGV[i + 3], id)
  elseif verb == 'saved' then
    redis.call('ZREM', KEYS[2], id)
  else
    if redis.call('ZREM', pending, id) == 1 then
      -- It ended while it waited (cancelled, too late): its hint would count as one that waits, and
      -- nobody pops it while its mode has no free slot. Costs a walk along the list from its
      -- oldest, at most 4 ms for each 100,000 hints.
      redis.call('LREM', queue, -1, id)
    end
    local was_live = redis.call('ZREM', KEYS[1], id) == 1
    if verb == 'save' then
      redis.call('ZADD', KEYS[2], 'NX', now, id)
      -- Once: a repeat must not cut short the pause after a call that failed.
      if was_live then
        redis.call('ZADD', KEYS[3], 'XX', now, id)
      end
    end
  end
end
return 'OK'
