-- Gives a running attempt back without counting it: processing → pending.
-- ARGV: 1 nonce, 2 changed channel, 3 id
-- Returns: OK | CANCEL (a client wants it to stop: finish it instead) | FENCED
local state = field('state')
if state == 'pending' and field('given_back') == 'release ' .. ARGV[1] then
  return 'OK'
end
if state ~= 'processing' or field('nonce') ~= ARGV[1] then
  return 'FENCED'
end
if field('cancel') then
  return 'CANCEL'
end
if redis.call('HINCRBY', KEYS[2], 'attempt', -1) == 0 then
  -- As if it had never been started: it may wait as long as any other.
  redis.call('HDEL', KEYS[2], 'deadline')
end
redis.call('HSET', KEYS[2], 'state', 'pending', 'given_back', 'release ' .. ARGV[1])
redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease', 'budget_end')
write_record('pending', 'null', '', field('live_ttl'))
append_turn('released', '')
keep_for(field('live_ttl'))
redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' pending')
return 'OK'
