-- Reads queues and workers.
-- KEYS: 1 workers        {search}:workers
--       2 descriptions   {search}:workers:descriptions
--       3 … queues       {search}:queue:<mode>   for each mode
-- ARGV: none
-- Returns: now (ms), {depth, oldest id or empty, …} for each queue, {name, last heartbeat (ms),
--          description, …} for each worker
local queues = {}
for i = 3, #KEYS do
  table.insert(queues, tostring(redis.call('LLEN', KEYS[i])))
  table.insert(queues, redis.call('LINDEX', KEYS[i], -1) or '')
end
local workers = {}
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #seen, 2 do
  table.insert(workers, seen[i])
  table.insert(workers, seen[i + 1])
  table.insert(workers, redis.call('HGET', KEYS[2], seen[i]) or '{}')
end
return { now_ms(), queues, workers }
