-- Entries that were popped and whose jobs are not claimed. Queues are FIFO, so these are the ids with
-- a sequence number below that of the queue's head, or all ids when the queue is empty.
-- KEYS: 1 queue              {search}:queue:<mode>
--       2 sequence numbers   {search}:pending:<mode>
-- ARGV: 1 most entries
-- Returns: id, sequence number, id, sequence number …
local first = redis.call('LINDEX', KEYS[1], -1)
local score = first and redis.call('ZSCORE', KEYS[2], first)
if first and not score then
  -- The head is a second entry of a claimed job: it tells nothing about the others.
  return {}
end
local below = score and '(' .. score or '+inf'
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', below, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
