-- Deletes the keys of an ended job and marks it as erased, for a worker that is just archiving it.
-- KEYS: 1 record                  search_job:<id>
--       2 control hash            {search_job:<id>}:ctl
--       3 event stream            {search_job:<id>}:ev
--       4 mark of an erased job   {search_job:<id>}:erased
-- ARGV: 1 TTL of the mark (s)
--       2 TTL of the mark when the job has no keys (s)
-- Returns: ERASED | ABSENT (the job has no keys) | RUNNING (the job has not ended)
local state = field('state')
if state == 'pending' or state == 'processing' then
  return 'RUNNING'
end
-- A record of the old service has no control hash, and so no state.
if redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) > 0 then
  redis.call('SET', KEYS[4], 'deleted', 'EX', ARGV[1])
  return 'ERASED'
end
-- The record may have expired while it was being archived. The TTL is short, as clients may send any
-- id; NX, so that it does not shorten the mark of an erased job.
redis.call('SET', KEYS[4], 'deleted', 'EX', ARGV[2], 'NX')
return 'ABSENT'
