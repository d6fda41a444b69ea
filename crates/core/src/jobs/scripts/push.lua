-- Pushes a queue entry and schedules the check of its job. Queues are FIFO: new entries go to the
-- left (tail), workers pop at the right (head).
-- KEYS: 1 queue                      {search}:queue:<mode>
--       2 sequence numbers           {search}:pending:<mode>
--       3 index of unfinished jobs   {search}:live
--       4 last sequence number       {search}:seq
--       5 … all queues               {search}:queue:<mode>   for each mode
-- ARGV: 1 id
--       2 back (tail; pushes nothing if there is an entry) | front (head; for a caller who knows that
--         there is none, or that it was popped)
--       3 delay of the next check (ms)
--       4 sequence number that the entry must have, "none" if it must have none, or empty for any
-- Returns: entries in all queues, 1 | 0 (ARGV 4 does not match: nothing is changed)
local now = now_ms()
local number = redis.call('ZSCORE', KEYS[2], ARGV[1])
-- An entry that seemed lost may have been claimed or requeued meanwhile.
local left_alone = ARGV[4] ~= '' and (number or 'none') ~= ARGV[4]
if not left_alone then
  if ARGV[2] == 'front' then
    -- Below every number that waits, not just below that of the head: the head may be the entry of
    -- a job that has ended.
    local lowest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', KEYS[2], (lowest or redis.call('INCR', KEYS[4])) - 1, ARGV[1])
    redis.call('RPUSH', KEYS[1], ARGV[1])
  elseif not number then
    redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), ARGV[1])
    redis.call('LPUSH', KEYS[1], ARGV[1])
  end
  redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
end
local depth = 0
for i = 5, #KEYS do
  depth = depth + redis.call('LLEN', KEYS[i])
end
return { depth, left_alone and 0 or 1 }
