-- Extends the lease of a running attempt.
-- ARGV: 1 nonce, 2 lease (ms)
-- Returns: OK | CANCEL (a client wants it to stop) | FENCED (the attempt is not ours any more)
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'cancel')
if known[1] ~= 'processing' or known[2] ~= ARGV[1] then
  return 'FENCED'
end
redis.call('HSET', KEYS[2], 'lease', now_ms() + ARGV[2])
if known[3] then
  return 'CANCEL'
end
return 'OK'
