-- Whom to tell the outcome of a job.
-- Returns: {NOBODY} (told already, or the record is gone) | {WAIT} (it has not ended)
--        | {TELL, address, calls that failed so far, ms that the record will live}
local known = redis.call('HMGET', KEYS[2], 'callback', 'state', 'failed_calls')
local left = redis.call('PTTL', KEYS[1])
if not known[1] or left == -2 then
  return { 'NOBODY' }
end
if known[2] == 'pending' or known[2] == 'processing' then
  return { 'WAIT' }
end
return { 'TELL', known[1], known[3] or '0', left }
