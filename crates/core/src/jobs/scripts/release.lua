-- Gives a running job back without counting the attempt: processing → pending. Safe to repeat with
-- the same nonce.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 nonce
--       2 channel search:changed
--       3 id
-- Returns: OK | CANCEL (a client has cancelled the job: finish it instead)
--        | FENCED (the attempt no longer holds it)
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
  -- As if no attempt had begun: only the limit of the wait counts.
  redis.call('HDEL', KEYS[2], 'deadline')
end
redis.call('HSET', KEYS[2], 'state', 'pending', 'given_back', 'release ' .. ARGV[1])
redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease', 'budget_end')
write_record('pending', 'null', '', field('live_ttl'))
append_turn('released', '')
keep_for(field('live_ttl'))
redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' pending')
return 'OK'
