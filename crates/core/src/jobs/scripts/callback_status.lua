-- Reads the delivery state of a job's callback.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev   (not used)
-- ARGV: none
-- Returns: {NOBODY} (no address: delivered, given up or never wanted; or the record is gone)
--        | {WAIT} (the job has not ended)
--        | {TELL, address, failed deliveries, ms that the record still lives}
local known = redis.call('HMGET', KEYS[2], 'callback', 'state', 'failed_calls')
local left = redis.call('PTTL', KEYS[1])
if not known[1] or left == -2 then
  return { 'NOBODY' }
end
if known[2] == 'pending' or known[2] == 'processing' then
  return { 'WAIT' }
end
return { 'TELL', known[1], known[3] or '0', left }
