-- Begins an attempt: pending → processing. Safe to repeat with the same nonce.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 nonce
--       2 worker (JSON string)
--       3 lease (ms)
--       4 channel search:changed
--       5 id
--       6 id of the worker process; tells which jobs are lost together
--       7 most losses together with others
-- Returns: {OK, attempt, request, ms since it was enqueued, ms that the attempt may run}
--        | {BUSY, ms until the lease ends} | {EARLY, ms until the next attempt is due}
--        | {SUSPECT, losses together with others} (more than ARGV 7)
--        | {LATE} (no time left to wait or to run: the sweeper ends it) | {ENDED}
--        | {ABSENT} (no such job, or in a state of another version)
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'lease', 'not_before', 'attempt',
  'created', 'expires', 'running_time', 'deadline', 'budget_end', 'request', 'echo', 'live_ttl',
  'given_back', 'told', 'losses')
local state = known[1]
if not state then
  return { 'ABSENT' }
end
local now = now_ms()
local attempt, deadline, budget_end = known[5], known[9], known[10]
if state == 'processing' then
  if known[2] ~= ARGV[1] then
    return { 'BUSY', math.max(0, known[3] - now) }
  end
elseif state == 'pending' then
  local not_before = tonumber(known[4])
  if not_before > now then
    return { 'EARLY', not_before - now }
  end
  if now >= tonumber(deadline or known[7]) then
    return { 'LATE' }
  end
  local losses = tonumber(known[16] or 0)
  if losses > tonumber(ARGV[7]) then
    return { 'SUSPECT', losses }
  end
  attempt = attempt + 1
  -- The limit of all attempts, lost ones included: two running times and the time to recover.
  deadline = deadline or now + 2 * known[8] + 60000
  -- Attempts that fail share one running time; after a lost worker or a release it begins anew.
  budget_end = budget_end or now + known[8]
  redis.call('HSET', KEYS[2], 'state', 'processing', 'nonce', ARGV[1], 'worker', ARGV[2],
    'holder', ARGV[1] .. ' ' .. ARGV[6], 'lease', now + ARGV[3], 'attempt', attempt, 'deadline', deadline, 'budget_end', budget_end)
  if known[14] or known[15] then
    redis.call('HDEL', KEYS[2], 'given_back', 'told')
  end
  redis.call('SET', KEYS[1], record_of('processing', 'null', known[12], attempt, ''), 'EX', known[13])
  append_turn('started', ',"attempt":' .. attempt .. ',"worker":' .. ARGV[2])
  keep_for(known[13])
  redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' processing')
elseif state == 'completed' or state == 'failed' then
  return { 'ENDED' }
else
  return { 'ABSENT' }
end
local budget = math.max(0, math.min(tonumber(budget_end), tonumber(deadline)) - now)
return { 'OK', tonumber(attempt), known[11], math.max(0, now - known[6]), budget }
