-- Ends a job: processing → completed or failed, even when the lease has run out but nobody took
-- over. Safe to repeat with the same nonce.
-- ARGV: 1 nonce, 2 completed | failed, 3 result (JSON) of a completed job, else the error (a JSON
--       string), 4 more members of a failed record, 5 error of a cancelled job, 6 its members,
--       7 changed channel, 8 id
-- Returns: the status it ended with | ALREADY | FENCED
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'cancel', 'ttl')
local state = known[1]
if known[2] ~= ARGV[1] then
  return 'FENCED'
end
if state ~= 'processing' then
  if state == 'pending' then
    return 'FENCED'
  end
  return 'ALREADY'
end
local status = ARGV[2]
if known[3] then
  status = 'failed'
  end_failed(ARGV[5], ARGV[6])
elseif status == 'completed' then
  redis.call('HSET', KEYS[2], 'state', 'completed')
  redis.call('SET', KEYS[1], '{"status":"completed","result":' .. ARGV[3] .. ',"error":null,"version":1}', 'EX', known[4])
  redis.call('HDEL', KEYS[2], 'lease', 'request', 'echo')
  append_turn('completed', '')
  keep_for(known[4])
else
  end_failed(ARGV[3], ARGV[4])
end
redis.call('PUBLISH', ARGV[7], ARGV[8] .. ' ' .. status)
return status
