-- Ends an attempt that failed for a passing reason: processing → pending with a pause, or → failed
-- when attempts are used up or less than a second of running time would be left. Attempts that were
-- lost together with other jobs do not count. Safe to repeat with the same nonce.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 nonce
--       2 error (JSON string)
--       3 further members of a failed record
--       4 most attempts
--       5 pause (ms)
--       6 error of a cancelled job (JSON string)
--       7 further members of its record
--       8 channel search:changed
--       9 id
-- Returns: {RETRY} | {failed} | {ALREADY} (this attempt has ended it before)
--        | {FENCED} (the attempt no longer holds it)
local state = field('state')
if state == 'pending' and field('given_back') == 'fail ' .. ARGV[1] then
  return { 'RETRY' }
end
if field('nonce') ~= ARGV[1] then
  return { 'FENCED' }
end
if state ~= 'processing' then
  if state == 'pending' then
    return { 'FENCED' }
  end
  return { 'ALREADY' }
end
local next_start = now_ms() + ARGV[5]
local known = redis.call('HMGET', KEYS[2], 'attempt', 'budget_end', 'cancel', 'losses')
if known[3] then
  end_failed(ARGV[6], ARGV[7])
elseif known[1] - (known[4] or 0) >= tonumber(ARGV[4]) or next_start + 1000 > tonumber(known[2]) then
  end_failed(ARGV[2], ARGV[3])
else
  redis.call('HSET', KEYS[2], 'state', 'pending', 'not_before', next_start,
    'last_error', ARGV[2], 'last_members', ARGV[3],
    'given_back', 'fail ' .. ARGV[1])
  redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease')
  write_record('pending', 'null', ',"last_error":' .. ARGV[2], field('live_ttl'))
  append_turn('retry', ',"error":' .. ARGV[2] .. ',"pause_ms":' .. ARGV[5])
  keep_for(field('live_ttl'))
  redis.call('PUBLISH', ARGV[8], ARGV[9] .. ' pending')
  return { 'RETRY' }
end
redis.call('PUBLISH', ARGV[8], ARGV[9] .. ' failed')
return { 'failed' }
