-- Extends the lease of a running attempt.
-- ARGV: 1 nonce, 2 lease (ms)
-- Returns: OK | CANCEL (a client wants it to stop) | FENCED (the attempt is not ours any more)
if field('state') ~= 'processing' or field('nonce') ~= ARGV[1] then
  return 'FENCED'
end
redis.call('HSET', KEYS[2], 'lease', now_ms() + ARGV[2])
if field('cancel') then
  return 'CANCEL'
end
return 'OK'
