-- Ends a job: processing → completed or failed, even with an expired lease as long as the job is not
-- recovered. A cancelled job ends as failed. Safe to repeat with the same nonce.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 nonce
--       2 completed | failed
--       3 result (JSON) of a completed job, or error (JSON string)
--       4 further members of a failed record
--       5 error of a cancelled job (JSON string)
--       6 further members of its record
--       7 channel search:changed
--       8 id
-- Returns: completed | failed | ALREADY (this attempt has ended it before)
--        | FENCED (the attempt no longer holds it)
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
