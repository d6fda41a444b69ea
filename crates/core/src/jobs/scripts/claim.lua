-- Starts an attempt: pending → processing. Safe to repeat with the same nonce.
-- ARGV: 1 nonce, 2 worker, 3 lease (ms), 4 changed channel, 5 id
-- Returns: {OK, attempt, request, ms since it was accepted} | {BUSY, ms until the lease ends}
--        | {EARLY, ms until it is due} | {ENDED} | {ABSENT}
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
  local attempt = redis.call('HINCRBY', KEYS[2], 'attempt', 1)
  redis.call('HSET', KEYS[2], 'state', 'processing', 'nonce', ARGV[1], 'worker', ARGV[2],
    'lease', now + ARGV[3])
  write_record('processing', 'null', '')
  append_event('started', '{"attempt":' .. attempt .. '}')
  keep_for(field('live_ttl'))
  redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' processing')
else
  return { 'ENDED' }
end
local known = redis.call('HMGET', KEYS[2], 'attempt', 'request', 'created')
return { 'OK', tonumber(known[1]), known[2], now - known[3] }
