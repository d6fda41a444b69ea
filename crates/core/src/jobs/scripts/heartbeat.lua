-- Renews the lease of a running attempt.
-- KEYS: 1 record         search_job:<id>         (not used)
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev    (not used)
-- ARGV: 1 nonce
--       2 lease (ms)
-- Returns: OK | CANCEL (a client has cancelled the job) | FENCED (the attempt no longer holds it)
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'cancel')
if known[1] ~= 'processing' or known[2] ~= ARGV[1] then
  return 'FENCED'
end
redis.call('HSET', KEYS[2], 'lease', now_ms() + ARGV[2])
if known[3] then
  return 'CANCEL'
end
return 'OK'
