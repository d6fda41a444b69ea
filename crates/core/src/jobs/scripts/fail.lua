-- An attempt failed for a passing reason: processing → pending after a pause, or failed when
-- attempts are used up or less than a second of the running time would be left. An attempt that was
-- lost because of another search is none of those.
-- ARGV: 1 nonce, 2 error (JSON string), 3 more members, 4 most attempts, 5 pause (ms),
--       6 error of a cancelled job, 7 its members, 8 changed channel, 9 id
-- Returns: {RETRY} | {failed} | {ALREADY} | {FENCED}
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
