-- Updates queues and index for many jobs at once.
-- KEYS: 1 index of unfinished jobs   {search}:live
--       2 index of unarchived jobs   {search}:unsaved
--       3 index of callbacks         {search}:callbacks
--       4, 6, 8 sequence numbers     {search}:pending:<mode>   for each mode
--       5, 7, 9 queue                {search}:queue:<mode>     for each mode
-- ARGV, for each update:
--       1 verb: track   the job was claimed or postponed: check it again after ARGV 4
--               save    the job has ended: no more checks; archive it and report it
--               drop    the id has no job: remove it
--               saved   the ended job is archived
--       2 number of the mode, from 1
--       3 id
--       4 delay (ms), with `track`
-- Returns: OK
local now = now_ms()
-- Updates of one id are in the order of their calls.
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
      -- The job ended while it waited, so its entry would count in the depth until a slot of its
      -- mode is free. LREM walks the list from its head: at most 4 ms for each 100,000 entries.
      redis.call('LREM', queue, -1, id)
    end
    local was_live = redis.call('ZREM', KEYS[1], id) == 1
    if verb == 'save' then
      redis.call('ZADD', KEYS[2], 'NX', now, id)
      -- Only once: a repeat must not shorten the pause after a failed delivery.
      if was_live then
        redis.call('ZADD', KEYS[3], 'XX', now, id)
      end
    end
  end
end
return 'OK'
