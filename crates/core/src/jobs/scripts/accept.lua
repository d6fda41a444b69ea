-- Accepts a job under a fresh id and gives it its hint: register, create and push in one, where one
-- server has all their keys.
-- KEYS: 4 live, 5 callbacks, 6 seq, 7 pending, 8 queue, 9.. the other queues
-- ARGV: 1-12 of begin.lua, 13 ms until the job must have ended
-- Returns: CREATED, how many hints there are in all queues | EXISTS, 0 | CONFLICT, 0
local known = known_as()
if known then
  return { known, 0 }
end
local now, id = now_ms(), ARGV[10]
begin(now)
redis.call('ZADD', KEYS[4], now + ARGV[8], id)
if ARGV[11] ~= '' then
  -- `forget` brings it forward when the job ends; this time is the net under that.
  redis.call('ZADD', KEYS[5], now + ARGV[13], id)
end
redis.call('ZADD', KEYS[7], redis.call('INCR', KEYS[6]), id)
local depth = redis.call('LPUSH', KEYS[8], id)
for i = 9, #KEYS do
  depth = depth + redis.call('LLEN', KEYS[i])
end
return { 'CREATED', depth }
