-- Starts an attempt: pending → processing. Safe to repeat with the same nonce.
-- ARGV: 1 nonce, 2 worker (JSON string), 3 lease (ms), 4 changed channel, 5 id
-- Returns: {OK, attempt, request, ms since it was accepted, ms that the attempt may run}
--        | {BUSY, ms until the lease ends} | {EARLY, ms until it is due}
--        | {LATE} (it has waited too long: look at it) | {ENDED} | {ABSENT}
local state = field('state')
if not state then
  return { 'ABSENT' }
end
local now = now_ms()
if state == 'processing' then
  if field('nonce') ~= ARGV[1] then
    return { 'BUSY', math.max(0, field('lease') - now) }
  end
elseif state == 'pending' then
  local not_before = tonumber(field('not_before'))
  if not_before > now then
    return { 'EARLY', not_before - now }
  end
  local limits = redis.call('HMGET', KEYS[2], 'deadline', 'expires', 'running_time', 'budget_end')
  if now >= tonumber(limits[1] or limits[2]) then
    return { 'LATE' }
  end
  if not limits[1] then
    -- The end of it all, lost workers included: two full attempts and the time to notice.
    redis.call('HSET', KEYS[2], 'deadline', now + 2 * limits[3] + 60000)
  end
  if not limits[4] then
    -- Attempts that fail share one running time; only a lost worker does not count against it.
    redis.call('HSET', KEYS[2], 'budget_end', now + limits[3])
  end
  local attempt = redis.call('HINCRBY', KEYS[2], 'attempt', 1)
  redis.call('HSET', KEYS[2], 'state', 'processing', 'nonce', ARGV[1], 'worker', ARGV[2],
    'lease', now + ARGV[3])
  redis.call('HDEL', KEYS[2], 'given_back', 'told')
  write_record('processing', 'null', '')
  append_turn('started', ',"attempt":' .. attempt .. ',"worker":' .. ARGV[2])
  keep_for(field('live_ttl'))
  redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' processing')
else
  return { 'ENDED' }
end
local known = redis.call('HMGET', KEYS[2], 'attempt', 'request', 'created', 'budget_end', 'deadline')
local budget = math.max(0, math.min(tonumber(known[4]), tonumber(known[5])) - now)
return { 'OK', tonumber(known[1]), known[2], math.max(0, now - known[3]), budget }
