-- Gives a running attempt back without counting it: processing → pending.
-- ARGV: 1 nonce, 2 changed channel, 3 id
-- Returns: OK | CANCEL (a client wants it to stop: finish it instead) | FENCED
if field('state') ~= 'processing' or field('nonce') ~= ARGV[1] then
  return 'FENCED'
end
if field('cancel') then
  return 'CANCEL'
end
redis.call('HINCRBY', KEYS[2], 'attempt', -1)
redis.call('HSET', KEYS[2], 'state', 'pending')
redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease', 'budget_end')
write_record('pending', 'null', '')
append_event('released', '{}')
keep_for(field('live_ttl'))
redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' pending')
return 'OK'
